import DRModel
import DRObjectStores
import DRReplication
import DRSimulation
import DRSupport

/// The shop on embedded clusters: real files in a folder of the test's own.
struct FolderWorld {
    let folder: TemporaryFolder
    var inventory: Inventory
    var rules: ClusterRules?
    let clock = SteadyClock()

    init() throws {
        folder = try TemporaryFolder()
        inventory = try EngineWorld().inventory
        let io = SystemStoreIO()
        for place in ["east", "west", "vault", "east/resources", "west/resources", "east/volumes", "west/volumes"] {
            try io.makeFolder(self[place], permissions: 0o755)
        }
        for site in ["east", "west"] { try write(self["\(site)/cluster.yaml"], Array("platform: kubernetes\nversion: v1.31.2\n".utf8)) }
        try write(self["east/resources/ledger.yaml"], Array(("# by hand\n" + EngineWorld.ledger).utf8))
        try write(self["east/resources/storefront.yaml"], Array(EngineWorld.storefront.utf8))
        try io.makeFolder(self["east/volumes/pg-data"], permissions: 0o700)
        try write(self["east/volumes/pg-data/large"], noise(40_000))
        try io.setModified(self["east/volumes/pg-data/large"], Instant(nanosecondsSince1970: 1_600_000_000_000_000_000))
        try put("first")
    }

    subscript(path: String) -> StorePath { path.split(separator: "/").reduce(folder.path) { $0 / String($1) } }

    /// What the database holds.
    func put(_ text: String, at site: String = "east") throws {
        let path = self["\(site)/volumes/pg-data/table"]
        if try SystemStoreIO().facts(path) != nil { try SystemStoreIO().removeFile(path) }
        try write(path, Array(text.utf8))
        // The same in every world, so that worlds can be compared.
        for changed in [path, path.folder] {
            try SystemStoreIO().setModified(changed, Instant(nanosecondsSince1970: 1_700_000_000_000_000_000 + Int64(text.utf8.count)))
        }
    }

    func database(_ site: String) throws -> String {
        String(decoding: try contents(self["\(site)/volumes/pg-data/table"]), as: UTF8.self)
    }

    func clusters(_ io: any StoreIO = UnsyncedIO()) -> [ClusterName: any Cluster] {
        var clusters: [ClusterName: any Cluster] = [:]
        for name in ["east", "west"] as [ClusterName] {
            let directory = self[name.text]
            clusters[name] = DirectoryCluster(
                name: name, directory: directory, rules: rules, io: io, clock: clock,
                volumes: DirectoryVolumeStore(cluster: name, directory: directory, io: io, clock: clock, random: SystemRandom()),
                renewsLeases: false)
        }
        return clusters
    }

    func store(_ io: any StoreIO = UnsyncedIO()) -> DirectoryObjectStore {
        DirectoryObjectStore(name: "vault", directory: self["vault"], io: io, random: SystemRandom())
    }

    func engine(_ io: any StoreIO = UnsyncedIO()) -> ReplicationEngine {
        ReplicationEngine(
            inventory: inventory, clusters: clusters(io), stores: ["vault": store(io)], clock: clock, random: SystemRandom(),
            executor: EngineWorld.executor)
    }

    func planningEngine() -> ReplicationEngine {
        let clock = VirtualClock(clock.now())
        return ReplicationEngine(
            inventory: inventory, clusters: Overlay(clusters: clusters(), clock: clock).clusters, stores: ["vault": store()], clock: clock,
            random: SystemRandom(), executor: EngineWorld.executor)
    }

    /// Every byte, time and owner of clusters, records and store.
    func everything() throws -> [String] { try describe(folder.path) }

    /// `resources/` and `.dr/state` by their bytes, `volumes/` with all that a copy must keep.
    func observable() throws -> [String] {
        var lines: [String] = []
        for site in ["east", "west"] {
            for place in ["resources", ".dr/state"] { lines += try files(self["\(site)/\(place)"], "\(site)/\(place)") }
            for volume in try SystemStoreIO().list(self["\(site)/volumes"]).map({ String(decoding: $0, as: UTF8.self) }) {
                lines += try describe(self["\(site)/volumes/\(volume)"])
            }
        }
        return lines
    }

    private func files(_ place: StorePath, _ path: String) throws -> [String] {
        guard let facts = try SystemStoreIO().facts(place) else { return [] }
        guard facts.kind == .folder else { return ["\(path): \(String(decoding: try contents(place), as: UTF8.self))"] }
        return try SystemStoreIO().list(place).flatMap { try files(place / $0, path + "/" + String(decoding: $0, as: UTF8.self)) }
    }
}
