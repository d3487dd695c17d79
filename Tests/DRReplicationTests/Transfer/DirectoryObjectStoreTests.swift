import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Glibc
import Testing

@Suite struct DirectoryObjectStoreTests {
    let folder: TemporaryFolder
    let store: DirectoryObjectStore

    init() throws {
        folder = try TemporaryFolder()
        store = Self.store(folder.path)
    }

    static func store(_ path: StorePath, _ io: any StoreIO = FaultyStoreIO()) -> DirectoryObjectStore {
        DirectoryObjectStore(name: "vault", directory: path, io: io, random: CountingRandom())
    }

    @Test func `An object is put once, read back, listed and deleted`() async throws {
        #expect(try await store.put("app/packs/1", [1, 2, 3]))
        #expect(try await !store.put("app/packs/1", [9]))
        #expect(try await store.get("app/packs/1") == [1, 2, 3])
        #expect(try await store.exists("app/packs/1"))
        try await store.put("app/packs/2", [])
        try await store.put("app/points/p/1-a", [0])
        try await store.put("application", [0])
        #expect(try await store.list(prefix: "app/").map(\.name) == ["app/packs/1", "app/packs/2", "app/points/p/1-a"])
        #expect(try await store.list(prefix: "app/packs/1").map(\.size) == [ByteCount(3)])
        #expect(try await store.list(prefix: "").map(\.name).last == "application")
        #expect(try await store.list(prefix: "none/").isEmpty)
        try await store.delete("app/packs/1")
        try await store.delete("app/packs/1")
        #expect(try await !store.exists("app/packs/1"))
        let error = await #expect(throws: DRError.self) { try await store.get("app/packs/1") }
        #expect(error?.code == .notFound)
    }

    @Test(arguments: ["", "/", "a//b", "../x", "a/../b", ".tmp/x", "a/.hidden", "a b", "a/", "ä", "a\nb"])
    func `A name that is no name is refused`(_ name: String) async {
        let error = await #expect(throws: DRError.self) { try await store.put(name, []) }
        #expect(error?.code == .invalidInput)
        await #expect(throws: DRError.self) { try await store.get(name) }
        await #expect(throws: DRError.self) { try await store.delete(name) }
    }

    @Test func `A folder that is not there is unreachable and is not made`() async throws {
        let missing = folder.path / "not-mounted"
        for call in 0..<5 {
            let error = await #expect(throws: DRError.self) {
                switch call {
                case 0: _ = try await Self.store(missing).put("a", [1])
                case 1: _ = try await Self.store(missing).get("a")
                case 2: _ = try await Self.store(missing).exists("a")
                case 3: _ = try await Self.store(missing).list(prefix: "")
                default: try await Self.store(missing).delete("a")
                }
            }
            #expect(error?.code == .storeUnreachable)
        }
        #expect(try SystemStoreIO().facts(missing) == nil)
    }

    @Test func `G3 an object is whole or absent wherever putting it breaks`() async throws {
        let counting = FaultyStoreIO()
        try await Self.store(folder.path, counting).put("app/packs/0", noise(5000))
        let faults: [FaultyStoreIO.Fault] = [.killedBefore, .killedAfter, .powerCut, .fails(EIO), .diskFull]
        for (number, fault) in faults.enumerated() {
            for position in 1...counting.operations.count {
                let fresh = try TemporaryFolder()
                let name = "app/packs/\(number)"
                do {
                    try await Self.store(fresh.path, FaultyStoreIO(fault: fault, at: position)).put(name, noise(5000))
                } catch let error as DRError {
                    #expect(error.code == .io || error.code == .noSpace)
                } catch { #expect(error is Killed) }
                let left = Self.store(fresh.path)
                if try await left.exists(name) { #expect(try await left.get(name) == noise(5000)) }
                #expect(try await left.list(prefix: "").allSatisfy { $0.name == name })
                try await left.put(name, noise(5000))
                #expect(try await left.get(name) == noise(5000))
            }
        }
    }

    @Test func `What dead processes left half written goes after a day, and nothing younger`() async throws {
        try await store.put("app/packs/1", [1])
        let half = folder.path / ".tmp" / "half"
        let young = folder.path / ".tmp" / "young"
        for path in [half, young] { try write(path, [1, 2]) }
        let now = try #require(try SystemStoreIO().facts(young)).modified
        try SystemStoreIO().setModified(half, now - .seconds(90_000))
        try await Self.store(folder.path).put("app/packs/2", [2])
        #expect(try SystemStoreIO().facts(half) == nil)
        #expect(try SystemStoreIO().facts(young) != nil)
    }

    @Test(arguments: [true, false])
    func `G3 I3 what a dead process put outlives a power cut when it was settled, and only then`(_ settles: Bool) async throws {
        let name = "app/packs/1"
        let counting = FaultyStoreIO()
        let other = try TemporaryFolder()
        try await Self.store(other.path, counting).put(name, [1])
        let rename = try #require(counting.operations.firstIndex { $0.hasPrefix("rename") })
        let dying = FaultyStoreIO(fault: .killedAfter, at: rename + 1)
        await #expect(throws: Killed.self) { try await Self.store(folder.path, dying).put(name, [1]) }
        let next = dying.restarted()
        let found = Self.store(folder.path, next)
        #expect(try await found.list(prefix: "app/").map(\.name) == [name])
        if settles { try await found.settle([name]) }
        next.cutPower()
        #expect(try await store.exists(name) == settles)
    }

    @Test func `G3 I3 what is settled is so down to the last folder, also where something went`() async throws {
        try await store.put("app/points/p/1-a", [1])
        try await store.put("app/points/q/1-a", [1])
        try await store.delete("app/points/p/1-a")
        let io = FaultyStoreIO()
        try await Self.store(folder.path, io).settle(["app/points/", "app/points/p/1-a", "app/none/", "none/x/y"])
        let synced = Set(io.operations.map { String($0.split(separator: " ", maxSplits: 1)[1].dropFirst("\(folder.path)".count)) })
        #expect(synced == ["", "/app", "/app/points", "/app/points/q"])
    }

    @Test func `An announcement and its end wait for no disk`() async throws {
        let io = FaultyStoreIO()
        let store = Self.store(folder.path, io)
        try await store.announce("app/leases/1", [1])
        #expect(try await store.list(prefix: "app/leases/").map(\.name) == ["app/leases/1"])
        try await store.withdraw("app/leases/1")
        #expect(try await store.list(prefix: "app/leases/").isEmpty)
        #expect(!io.operations.contains { $0.hasPrefix("sync") })
    }

    @Test func `The folder of a point goes with its last object, also while the next one is put there`() async throws {
        let point = folder.path / "app/points/p"
        try await store.put("app/points/p/1-a", [1])
        try await store.put("app/points/p/2-b", [1])
        try await store.delete("app/points/p/1-a")
        #expect(try SystemStoreIO().facts(point) != nil)
        try await store.delete("app/points/p/2-b")
        #expect(try SystemStoreIO().facts(point) == nil)
        #expect(try SystemStoreIO().facts(point.folder) != nil)
        let io = FaultyStoreIO()
        let times = Lock(0)
        io.meanwhile { operation in
            guard operation.hasPrefix("rename"),
                times.withLock({
                    $0 += 1; return $0
                }) < 4
            else { return }
            try SystemStoreIO().removeFolder(point)
        }
        #expect(try await Self.store(folder.path, io).put("app/points/p/3-c", [3]))
        #expect(times.withLock { $0 } == 4)
        #expect(try await store.get("app/points/p/3-c") == [3])
    }
}
