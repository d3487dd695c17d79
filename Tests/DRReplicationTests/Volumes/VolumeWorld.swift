import CStorage
import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Foundation
import Glibc

/// Time that passes only for those who wait; the filesystem's own time goes on.
final class SteadyClock: WallClock {
    private let time = Lock(Instant(nanosecondsSince1970: 1_770_000_000_000_000_000))
    func now() -> Instant { time.withLock { $0 } }
    func sleep(for duration: Duration) async throws { time.withLock { $0 = $0 + duration } }
}

final class CountingRandom: RandomSource {
    private let state: Lock<UInt64>
    init(_ seed: UInt64 = 1) { state = Lock(seed) }
    func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}

/// Two sites and a store in a folder of the test's own.
final class VolumeWorld: Sendable {
    static let application: ApplicationName = "ledger"
    let folder: TemporaryFolder
    let clock = SteadyClock()
    let random = CountingRandom()
    let io = SystemStoreIO()
    /// Threads of a volume store; with none, what is done is done in one order.
    let parallel: Int

    var east: StorePath { folder.path / "east" }
    var west: StorePath { folder.path / "west" }
    var vault: StorePath { folder.path / "vault" }

    init(parallel: Int = 0) throws {
        self.parallel = parallel
        folder = try TemporaryFolder()
        for place in [east, west, vault, east / "volumes", west / "volumes"] { try io.makeFolder(place, permissions: 0o755) }
    }

    // Without a fault it spares the syncs, which cost more than everything else here.
    func store(_ io: any StoreIO = FaultyStoreIO()) -> DirectoryObjectStore {
        DirectoryObjectStore(name: "vault", directory: vault, io: io, random: random)
    }

    /// What makes up points.
    func objects() async throws -> [StoredObject] {
        try await store().list(prefix: "ledger/").filter { !$0.name.contains("/readers/") && !$0.name.contains("/leases/") }
    }

    func volumes(_ site: StorePath, _ io: any StoreIO = FaultyStoreIO()) -> DirectoryVolumeStore {
        // A site that is neither east nor west is a test's own way to look at the store; nobody sweeps for it.
        DirectoryVolumeStore(
            cluster: site == east ? "east" : "west", directory: site, io: io, clock: clock, random: random, objectSize: ByteCount(1 << 20),
            parallel: parallel)
    }

    static func draft(_ generation: Int64, epoch: Int64 = 1, final: Bool = true) throws -> PointDraft {
        PointDraft(
            id: try PointID("ledger-e\(epoch)-g\(generation)"), epoch: Epoch(epoch), generation: generation, source: "east", final: final)
    }

    static let manifests = [
        ManifestObject(
            key: ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-db", name: "pg"), labels: ["app": "pg"],
            text: "kind: StatefulSet\nmetadata: { name: pg } # a comment\n")
    ]

    /// Capture and publish at the source, receive at the destination.
    @discardableResult
    func migrate(
        _ names: [VolumeName] = ["data"], generation: Int64, epoch: Int64 = 1, from: StorePath? = nil, to: StorePath? = nil,
        key: String? = nil, io: any StoreIO = FaultyStoreIO()
    ) async throws -> (publication: Publication, reception: Reception) {
        let source = volumes(from ?? east, io)
        let key = OperationKey(key ?? "run/\(epoch)/\(generation)")
        let capture = try await source.capture(names, of: Self.application, stopped: true, key: key)
        let publication = try await source.publish(
            capture, as: try Self.draft(generation, epoch: epoch), manifests: Self.manifests, to: store(io))
        let reception = try await volumes(to ?? west, io).receive(publication.point.id, of: Self.application, from: store(io))
        try await source.discard(key)
        return (publication, reception)
    }

    /// Makes the point's volume and moves it live, as a cluster's commit does.
    func activate(_ point: RecoveryPoint, at site: StorePath, volume: Int = 0, io: any StoreIO = FaultyStoreIO()) async throws {
        let store = volumes(site, io)
        let key = OperationKey("activate/\(point.id)")
        let wanted = point.volumes[volume]
        _ = try await store.materialise(wanted, of: point, key: key)
        let layout = StagingLayout(cluster: site)
        let live = layout.live(wanted.name, wanted.kind)
        let staged = layout.staged(wanted.name, wanted.kind, key: key)
        try self.io.rename(staged, live, try self.io.facts(live) == nil ? .keep : .exchange)
        try await store.discard(key)
    }
}

/// Everything of a tree that a copy must keep, in one comparable text.
func describe(_ root: StorePath) throws -> [String] {
    let io = SystemStoreIO()
    var lines: [String] = []
    var firstNames: [UInt64: String] = [:]
    func visit(_ place: StorePath, _ path: String) throws {
        let facts = try io.facts(place)!
        var line =
            "\(path) \(facts.kind) \(String(facts.mode, radix: 8)) \(facts.owner):\(facts.group) \(facts.modified.nanosecondsSince1970)"
        for (name, value) in try io.extendedAttributes(place) { line += " \(String(decoding: name, as: UTF8.self))=\(value)" }
        if facts.kind != .folder, facts.links > 1 {
            line += " links \(facts.links) of \(firstNames[facts.inode] ?? "itself")"
            firstNames[facts.inode] = firstNames[facts.inode] ?? path
        }
        switch facts.kind {
        case .symlink: line += " -> \(try io.symlinkTarget(place))"
        case .file:
            line += " \(facts.size) \(Digest.hex(of: try contents(place)))"
        default: break
        }
        lines.append(line)
        guard facts.kind == .folder else { return }
        for name in try io.list(place) { try visit(place / name, path + "/" + name.map { String($0, radix: 16) }.joined()) }
    }
    try visit(root, "")
    return lines
}

func contents(_ path: StorePath) throws -> [UInt8] {
    let file = try SystemStoreIO().open(path, .read, permissions: 0)
    var bytes = [UInt8](repeating: 0, count: Int(try file.facts().size))
    _ = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
    return bytes
}

func write(_ path: StorePath, _ bytes: [UInt8], at offset: Int64 = 0, mode: UInt32 = 0o644) throws {
    let io = SystemStoreIO()
    let exists = try io.facts(path) != nil
    let file = try io.open(path, exists ? .update : .create, permissions: mode)
    try bytes.withUnsafeBytes { try file.write(at: offset, $0) }
    try file.close()
}

/// The numbers of `CountingRandom`, made and written without a lock and a generic call for each: tests need many megabytes.
func noise(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
    var state = seed
    let words = [UInt64](unsafeUninitializedCapacity: (count + 7) / 8) { words, made in
        made = words.count
        guard let first = words.baseAddress else { return }
        var number = 0
        while number < made {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            (first + number).initialize(to: mixed ^ (mixed >> 31))
            number += 1
        }
    }
    return words.withUnsafeBytes { Array(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
}

/// Many megabytes, of which the operator looks at each byte by itself where nothing is optimised.
func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool { one.count == other.count && memcmp(one, other, one.count) == 0 }

/// One of everything that a copy tends to lose.
func makeHostileTree(_ root: StorePath) throws {
    let io = SystemStoreIO()
    func time(_ path: StorePath, _ nanoseconds: Int64) throws { try io.setModified(path, Instant(nanosecondsSince1970: nanoseconds)) }
    try io.makeFolder(root, permissions: 0o750)
    try write(root / "empty", [])
    try write(root / "small", Array("hello".utf8))
    try write(root / "large", noise(300_000))
    try write(root / "text", Array(String(repeating: "the quick brown fox\n", count: 20_000).utf8))
    let sparse = try io.open(root / "sparse", .create, permissions: 0o600)
    try sparse.truncate(to: 8 << 20)
    try noise(5000).withUnsafeBytes { try sparse.write(at: 3 << 20, $0) }
    try sparse.close()
    let hole = try io.open(root / "only-hole", .create, permissions: 0o600)
    try hole.truncate(to: 1 << 20)
    try hole.close()
    try write(root / [0xFF, 0xFE, 0x0A, 0x20], Array("not UTF-8".utf8))
    try io.makeFolder(root / "empty-folder", permissions: 0o1777)
    try io.makeFolder(root / "a", permissions: 0o755)
    try io.makeFolder(root / "a" / "b", permissions: 0o700)
    try write(root / "a" / "b" / "deep", Array("deep".utf8))
    // `a.b` and `a-b` sort around `a/b` only when `/` counts as the lowest.
    try write(root / "a.b", Array("dot".utf8))
    try write(root / "a-b", Array("dash".utf8))
    try io.makeHardLink(root / "linked", to: root / "a" / "b" / "deep")
    try io.makeHardLink(root / "a" / "linked", to: root / "a" / "b" / "deep")
    try io.makeSymlink(root / "dangling", to: Array("/nowhere/at all".utf8))
    try io.makeSymlink(root / "out", to: Array("../../..".utf8))
    try io.makeHardLink(root / "a" / "out", to: root / "out")
    try io.setExtendedAttribute(root / "small", name: Array("user.note".utf8), value: [0, 1, 255])
    try io.setExtendedAttribute(root / "a", name: Array("user.folder".utf8), value: Array("x".utf8))
    if geteuid() == 0 {
        for path in [root / "small", root / "a", root / "dangling"] { try io.setOwner(path, owner: 1234, group: 4321) }
    }
    try io.setPermissions(root / "small", 0o4755)
    try io.setPermissions(root / "large", 0o400)
    try time(root / "small", 1_234_567_890_123_456_789)
    try time(root / "dangling", 987_654_321)
    try time(root / "empty-folder", -1_500_000_000)
    try time(root / "a" / "b", 42)
    try time(root / "a", 4_000_000_000_000_000_001)
    try time(root, 77_000_000_007)
}
