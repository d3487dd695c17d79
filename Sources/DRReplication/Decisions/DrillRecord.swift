internal import DRModel
internal import DRSupport

/// What a cluster's document `drills/ID` says of a drill: everything that has to go again, written before it is made. No observable state: it has a lease.
struct DrillRecord: Hashable, Codable {
    struct Clone: Hashable, Codable {
        let application: ApplicationName
        let point: RecoveryPoint
        /// Its objects and volumes are there.
        var isPlaced = false
        /// Workloads that are to run, by `ObjectKey.reference`, in the order of start.
        var originals: [Original] = []
        /// What the clone does without.
        var leftOut: [String] = []
        /// When all of it was ready.
        var ready: Instant?
    }

    struct Original: Hashable, Codable {
        let object: String
        let state: String
    }

    let id: DrillID
    let pair: PairName
    let suffix: String
    let begun: Instant
    let expires: Instant
    let run: RunID
    /// Being removed: nothing is added any more.
    var isEnding = false
    /// Of all applications, its own or not, as this cluster calls them, with what the clone calls them: it must reach none of the real ones.
    let namespaces: [String: String]
    /// What it has made its own.
    let ownNamespaces: [String]
    var clones: [Clone]

    /// Nil for an application that is no part of it.
    func index(of application: ApplicationName) -> Int? { clones.firstIndex { $0.application == application } }

    /// What a volume of a point is called in the clone.
    func volume(_ name: VolumeName) throws(DRError) -> VolumeName { try VolumeName("\(name)-\(suffix)") }

    /// Under which a volume is staged, whoever stages it: the one who cleans up has to find it.
    func stagingKey(_ application: ApplicationName, _ volume: VolumeName) -> OperationKey {
        OperationKey("drill/\(id)/\(application)/\(volume)")
    }

    /// `placed`: only those that are there as its clones', and not somebody else's of the same name.
    func volumes(placed: Bool = false) throws(DRError) -> [VolumeName] {
        var names: [VolumeName] = []
        for clone in clones where clone.isPlaced || !placed {
            for volume in clone.point.volumes { names.append(try self.volume(volume.name)) }
        }
        return names
    }

    func status(at cluster: ClusterName, now: Instant) -> DrillStatus {
        DrillStatus(
            id: id, cluster: cluster, applications: clones.map(\.application), begun: begun, expires: expires, run: run,
            expired: expires <= now)
    }

    func report(at cluster: ClusterName) -> DrillReport {
        DrillReport(
            id: id, cluster: cluster, expires: expires, namespaces: namespaces.filter { ownNamespaces.contains($0.value) },
            recovery_points: Dictionary(clones.map { ($0.application.text, $0.point.id) }) { $1 })
    }

    func value() throws -> Value { try Value(encoding: self) }

    /// The same for the same call, so that a run that is carried on finds its drill.
    static func id(for key: OperationKey) throws(DRError) -> DrillID { try DrillID("drill-\(Digest.hex(of: key.text).prefix(10))") }
}

extension DocumentPath {
    static let drills = DocumentPath("drills")
    static func drill(_ id: DrillID) -> DocumentPath { DocumentPath("drills", id.text) }
    /// Drills that were removed, each with when.
    static let removed = DocumentPath("removed")
    static func removed(_ id: DrillID) -> DocumentPath { DocumentPath("removed", id.text) }
    /// When a clone of the application was last seen ready.
    static func drilled(_ application: ApplicationName) -> DocumentPath { DocumentPath("drilled", application.text) }
}
