import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Glibc
import Testing

/// Real files where something happens whenever one of them is about to be copied.
private final class BusyStoreIO: StoreIO {
    private let real = SystemStoreIO()
    private let watched: StorePath
    private let state = Lock((last: StorePath("."), copies: 0))
    private let act: @Sendable (Int) -> Void

    init(copying path: StorePath, _ act: @escaping @Sendable (Int) -> Void) {
        watched = path
        self.act = act
    }

    /// How often the file was copied.
    var copies: Int { state.withLock { $0.copies } }

    func open(_ path: StorePath, _ mode: OpenMode, permissions: UInt32) throws -> any StoreFile {
        // A copy is made by opening the file and then creating one with a number for a name.
        let copy = state.withLock { state -> Int in
            defer { if mode == .read { state.last = path } }
            guard mode == .create, state.last == watched, path.lastComponent.allSatisfy({ (48...57).contains($0) }) else { return 0 }
            state.copies += 1
            return state.copies
        }
        if copy > 0 { act(copy) }
        return try real.open(path, mode, permissions: permissions)
    }

    func facts(_ path: StorePath) throws -> FileFacts? { try real.facts(path) }
    func list(_ folder: StorePath) throws -> [[UInt8]] { try real.list(folder) }
    func makeFolder(_ path: StorePath, permissions: UInt32) throws { try real.makeFolder(path, permissions: permissions) }
    func makeSymlink(_ path: StorePath, to target: [UInt8]) throws { try real.makeSymlink(path, to: target) }
    func makeHardLink(_ path: StorePath, to existing: StorePath) throws { try real.makeHardLink(path, to: existing) }
    func symlinkTarget(_ path: StorePath) throws -> [UInt8] { try real.symlinkTarget(path) }
    func rename(_ from: StorePath, _ to: StorePath, _ mode: RenameMode) throws { try real.rename(from, to, mode) }
    func removeFile(_ path: StorePath) throws { try real.removeFile(path) }
    func removeFolder(_ path: StorePath) throws { try real.removeFolder(path) }
    func setPermissions(_ path: StorePath, _ mode: UInt32) throws { try real.setPermissions(path, mode) }
    func setOwner(_ path: StorePath, owner: UInt32, group: UInt32) throws { try real.setOwner(path, owner: owner, group: group) }
    func setModified(_ path: StorePath, _ instant: Instant) throws { try real.setModified(path, instant) }
    func extendedAttributes(_ path: StorePath) throws -> [(name: [UInt8], value: [UInt8])] { try real.extendedAttributes(path) }
    func removeExtendedAttribute(_ path: StorePath, name: [UInt8]) throws { try real.removeExtendedAttribute(path, name: name) }
    func setExtendedAttribute(_ path: StorePath, name: [UInt8], value: [UInt8]) throws {
        try real.setExtendedAttribute(path, name: name, value: value)
    }
    func syncFolder(_ path: StorePath) throws {}
    func syncFilesystem(_ path: StorePath) throws {}
    func mountIdentity(_ path: StorePath) -> String? { real.mountIdentity(path) }
    func filesystemType(_ path: StorePath) throws -> String { try real.filesystemType(path) }
    func lock(_ path: StorePath, wait: Bool) throws -> (any StoreLock)? { try real.lock(path, wait: wait) }
}

@Suite struct CaptureTests {
    let world: VolumeWorld
    var data: StorePath { world.east / "volumes" / "data" }

    init() throws { world = try VolumeWorld() }

    private func capture(_ names: [VolumeName] = ["data"], stopped: Bool = false, io: any StoreIO = FaultyStoreIO()) async throws -> Capture
    {
        try await world.volumes(world.east, io).capture(names, of: VolumeWorld.application, stopped: stopped, key: OperationKey("capture"))
    }

    private func publish(_ capture: Capture) async throws -> RecoveryPoint {
        let draft = try VolumeWorld.draft(1, final: false)
        return try await world.volumes(world.east).publish(capture, as: draft, manifests: [], to: world.store()).point
    }

    @Test func `I5 a quiet set of volumes is one instant`() async throws {
        try makeHostileTree(data)
        try makeHostileTree(world.east / "volumes" / "more")
        let capture = try await capture(["data", "more"])
        #expect(capture.consistency == .crash)
        #expect(capture.volumes == ["data", "more"])
        // The live files may change from here on: the capture does not.
        let before = try contents(data / "large")
        try write(data / "large", noise(300_000, seed: 1234))
        let point = try await publish(capture)
        let west = world.volumes(world.west)
        _ = try await west.receive(point.id, of: VolumeWorld.application, from: world.store())
        try await world.activate(point, at: world.west)
        #expect(try contents(world.west / "volumes" / "data" / "large") == before)
    }

    @Test func `Stopped volumes are as the application left them and are not copied`() async throws {
        try makeHostileTree(data)
        let capture = try await capture(stopped: true)
        #expect(capture.consistency == .application)
        let layout = StagingLayout(cluster: world.east)
        #expect(try world.io.list(layout.captured("data", key: capture.key, attempt: capture.attempt)) == [Array("catalogue".utf8)])
    }

    @Test func `G3 a process that was paused reads nothing of what another one captured since with the same key`() async throws {
        try world.io.makeFolder(data, permissions: 0o755)
        for number in 0..<3 { try write(data / "file-\(number)", noise(200_000, seed: UInt64(number))) }
        let sleeper = try await capture(stopped: false)
        // Whoever took the run over makes the same capture, of a later moment.
        for number in 0..<3 { try write(data / "file-\(number)", noise(200_000, seed: UInt64(100 + number))) }
        let taker = try await capture(stopped: false)
        #expect(sleeper.key == taker.key && sleeper.attempt != taker.attempt)
        await #expect(throws: DRError.self) { try await publish(sleeper) }
        #expect(try await world.store().list(prefix: "ledger/points/").isEmpty)
        let point = try await publish(taker)
        _ = try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: world.store())
        try await world.activate(point, at: world.west)
        #expect(try contents(world.west / "volumes" / "data" / "file-2") == noise(200_000, seed: 102))
    }

    @Test func `A stopped volume that changes all the same is refused, not sent half old half new`() async throws {
        try makeHostileTree(data)
        let capture = try await capture(stopped: true)
        try write(data / "large", noise(300_000, seed: 1234))
        let error = await #expect(throws: DRError.self) { try await publish(capture) }
        #expect(error?.code == .io)
        #expect(error?.message.contains("volumes/data/large") == true)
        #expect(try await world.store().list(prefix: "ledger/points").isEmpty)
    }

    @Test func `I5 a file that changes while the set is copied makes the capture start over, and the second try is an instant`()
        async throws
    {
        try makeHostileTree(data)
        let path = data / "large"
        // `large` was copied before `small`.
        let io = BusyStoreIO(copying: data / "small") { copy in if copy == 1 { try? write(path, noise(100, seed: 3), at: 1000) } }
        let capture = try await capture(io: io)
        #expect(capture.consistency == .crash)
        #expect(io.copies >= 2)
        let wanted = try contents(path)
        let point = try await publish(capture)
        _ = try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: world.store())
        try await world.activate(point, at: world.west)
        #expect(try contents(world.west / "volumes" / "data" / "large") == wanted)
    }

    @Test func `Files that never stop changing are captured as fuzzy and say so`() async throws {
        try makeHostileTree(data)
        let path = data / "large"
        let io = BusyStoreIO(copying: data / "small") { copy in try? write(path, noise(100, seed: UInt64(copy)), at: 1000) }
        let capture = try await capture(io: io)
        #expect(capture.consistency == .fuzzy)
        let point = try await publish(capture)
        #expect(point.consistency == .fuzzy)
        _ = try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: world.store())
    }

    @Test func `A file that vanishes during the capture is no error`() async throws {
        try makeHostileTree(data)
        let path = data / "text"
        let io = BusyStoreIO(copying: data / "small") { copy in if copy == 1 { try? SystemStoreIO().removeFile(path) } }
        let capture = try await capture(io: io)
        #expect(capture.consistency == .crash)
        #expect(try await publish(capture).volumes.count == 1)
    }

    @Test func `What cannot be copied is refused with its path`() async throws {
        try world.io.makeFolder(data, permissions: 0o755)
        #expect(mkfifo("\(data)/pipe", 0o600) == 0)
        for stopped in [true, false] {
            let error = await #expect(throws: DRError.self) { try await capture(stopped: stopped) }
            #expect(error?.code == .volumeUnsupported)
            #expect(error?.message.contains("\(data)/pipe") == true)
        }
        await #expect(throws: DRError.self) { try await world.volumes(world.east).stat("data") }
        try world.io.removeFile(data / "pipe")
        #expect(try await world.volumes(world.east).stat("data")?.kind == .filesystem)
        #expect(try await world.volumes(world.east).stat("other") == nil)
    }

    @Test func `A time that 64 bits of nanoseconds cannot tell is refused with its path, not kept as another one`() async throws {
        try makeHostileTree(data)
        let far = [timespec(tv_sec: 13_569_465_600, tv_nsec: 0), timespec(tv_sec: 13_569_465_600, tv_nsec: 0)]
        #expect(unsafe utimensat(AT_FDCWD, "\(data)/text", far, 0) == 0)
        let error = await #expect(throws: DRError.self) { try await capture(stopped: true) }
        #expect(error?.code == .volumeUnsupported)
        #expect(error?.message.contains("\(data)/text") == true && error?.hint?.contains("2262") == true)
    }

    @Test func `The copy of a thin file is as thin where nothing is known of it yet`() async throws {
        try world.io.makeFolder(data, permissions: 0o755)
        for piece in 0..<16 { try write(data / "thin", noise(4096, seed: UInt64(piece)), at: Int64(piece) << 20) }
        let capture = try await capture()
        let copies = StagingLayout(cluster: world.east).captured("data", key: capture.key, attempt: capture.attempt)
        let copy = try #require(try world.io.facts(copies / "0"))
        #expect(copy.size == 15 << 20 | 4096)
        // Where the filesystem shares blocks the copy is a clone, as thin as the file is.
        #expect(copy.allocated < 1 << 20)
    }

    @Test func `A missing volume, a missing cluster and a volume that is there twice have clear errors`() async throws {
        let missing = await #expect(throws: DRError.self) { try await capture(["nothing"]) }
        #expect(missing?.code == .volumeMissing)
        try world.io.makeFolder(data, permissions: 0o755)
        try write(world.east / "volumes" / "data.img", [1])
        let twice = await #expect(throws: DRError.self) { try await world.volumes(world.east).stat("data") }
        #expect(twice?.code == .volumeUnsupported)
        #expect(try await world.volumes(world.east).stat("data.img") == nil)
        let gone = await #expect(throws: DRError.self) { try await world.volumes(world.folder.path / "south").stat("data") }
        #expect(gone?.code == .clusterUnreachable)
    }

    @Test func `Discarding removes what was staged and nothing that lives, also when there is nothing`() async throws {
        try makeHostileTree(data)
        let before = try describe(data)
        let capture = try await capture()
        try await world.volumes(world.east).discard(capture.key)
        try await world.volumes(world.east).discard(capture.key)
        #expect(try world.io.list(StagingLayout(cluster: world.east).staging) == [])
        #expect(try describe(data) == before)
    }
}
