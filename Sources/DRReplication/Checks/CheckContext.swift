internal import DRModel

/// What checks may ask.
struct CheckContext {
    let pair: PairName
    let home: ClusterName
    /// Nil in disaster mode: the source is not touched.
    let source: (any Cluster)?
    let sourceName: ClusterName
    let destination: any Cluster
    let applications: [Application]
    let inventory: Inventory
    let storeName: StoreName
    let store: (any ObjectStore)?
    let holder: LockHolder
    let now: Instant

    /// The clusters that may be asked, source first.
    var ends: [any Cluster] { [source].compactMap { $0 } + [destination] }

    /// The source for checks that declare `asksSource`.
    func requireSource() throws -> any Cluster {
        guard let source else { throw DRError(.internal, "a check asked the source, which is not to be touched") }
        return source
    }

    func standing(of application: Application) async throws -> Standing {
        var records: [ClusterName: ApplicationRecord] = [:]
        for end in ends { records[end.name] = try await end.record(of: application.name) }
        return Standing(application: application.name, home: home, records: records)
    }

    /// The application's objects that would be copied.
    func carried(_ application: Application) async throws -> [ManifestObject] {
        try CarriedObjects.of(try await requireSource().objects(of: application))
    }

    /// The application's volumes: at the source, or those of the newest recovery point where the source is not asked.
    func volumes(_ application: Application) async throws -> [VolumeName] {
        if source != nil { return try ClaimedVolumes(of: try await carried(application)).volumes }
        return try await newestPoint(application)?.volumes.map(\.name) ?? []
    }

    func newestPoint(_ application: Application) async throws -> RecoveryPoint? {
        try await destination.points(of: application.name).first { $0.verifiedAt != nil }
    }
}

extension Sequence<String> {
    var listed: String { joined(separator: ", ") }
}
