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

    /// The application's objects as they would be at the destination: those of the source, or of the newest recovery point where the source is not asked. Nil
    /// where nobody knows.
    func arriving(_ application: Application) async throws -> [ManifestObject]? {
        var homely: [ManifestObject]
        if source != nil {
            let form = ClusterForm(application: application, cluster: sourceName)
            let record = try await source?.record(of: application.name)
            homely = try await carried(application).map { try form.home($0, undoing: record?.transformed?[$0.key.reference] ?? [:]) }
        } else {
            guard let manifests = try await newestPoint(application).whole?.manifests else { return nil }
            homely = try CarriedObjects.of(manifests)
        }
        let form = ClusterForm(application: application, cluster: destination.name)
        return try homely.map { try form.local($0).object }
    }

    /// The application's volumes: at the source, or those of the newest recovery point where the source is not asked.
    func volumes(_ application: Application) async throws -> [VolumeName] {
        if source != nil { return try ClaimedVolumes(of: try await carried(application)).volumes }
        return try await newestPoint(application).whole?.point.volumes.map(\.name) ?? []
    }

    /// The newest verified point at the destination whose record and manifests can be read; a damaged one hides no older one.
    func newestPoint(_ application: Application) async throws -> NewestPoint {
        let listed = try await destination.points(of: application.name)
        var newest = NewestPoint(damaged: listed.damaged.map { ($0.path.lastName, $0.error) })
        for point in listed.sound where point.verifiedAt != nil {
            do {
                newest.whole = (point, try await destination.volumes.manifests(of: point))
                break
            } catch let error as DRError where error.isOfOneRecord {
                newest.damaged.append((point.id.text, error))
            }
        }
        // Of damaged ones only those matter that are newer.
        if let found = newest.whole?.point {
            newest.damaged.removeAll { name, _ in
                guard let name = PointName(name, of: application.name) else { return true }
                return (name.epoch, name.generation) < (found.epoch, found.generation)
            }
        }
        return newest
    }
}

/// What a destination could be made live from.
struct NewestPoint {
    var whole: (point: RecoveryPoint, manifests: [ManifestObject])?
    /// Newer than it, or all there are.
    var damaged: [(name: String, error: DRError)]
}

extension Sequence<String> {
    var listed: String { joined(separator: ", ") }
}
