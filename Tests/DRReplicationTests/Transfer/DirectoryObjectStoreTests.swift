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

    @Test func `G3 I3 what is put upon others is never there without them, wherever the power is cut`() async throws {
        let names = (1...2).map { "app/packs/\($0)" }
        func publish(_ store: DirectoryObjectStore) async throws {
            for name in names { try await store.place(name, noise(5000)) }
            try await store.put("app/points/p/1-a", [1], upon: names)
        }
        let counting = FaultyStoreIO()
        let other = try TemporaryFolder()
        try await publish(Self.store(other.path, counting))
        for position in 1...counting.operations.count {
            for fault in [FaultyStoreIO.Fault.powerCut, .powerCutAfter] {
                let fresh = try TemporaryFolder()
                await #expect(throws: Killed.self) { try await publish(Self.store(fresh.path, FaultyStoreIO(fault: fault, at: position))) }
                let left = Self.store(fresh.path)
                guard try await left.exists("app/points/p/1-a") else { continue }
                for name in names { #expect(try await left.get(name) == noise(5000), "\(fault) at \(counting.operations[position - 1])") }
            }
        }
    }

    @Test(arguments: [true, false])
    func `G3 I3 what was placed outlives a power cut when something was put upon it, and only then`(_ isBelow: Bool) async throws {
        let io = FaultyStoreIO()
        let placing = Self.store(folder.path, io)
        try await placing.place("app/packs/1", [1])
        try await placing.put("app/maps/1", [1], upon: isBelow ? ["app/packs/1"] : [])
        io.cutPower()
        #expect(try await store.exists("app/maps/1"))
        #expect(try await store.exists("app/packs/1") == isBelow)
    }

    @Test func `What is put again upon others settles them all the same`() async throws {
        try await store.put("app/maps/1", [1])
        let io = FaultyStoreIO()
        let placing = Self.store(folder.path, io)
        try await placing.place("app/packs/1", [1])
        #expect(try await !placing.put("app/maps/1", [1], upon: ["app/packs/1"]))
        io.cutPower()
        #expect(try await store.exists("app/packs/1"))
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

    // MARK: Other hands

    @Test(arguments: ["app", "app/packs"])
    func `G3 I3 what is put where another hand removed a folder outlives a power cut`(_ removed: String) async throws {
        let io = FaultyStoreIO()
        let putting = Self.store(folder.path, io)
        try await putting.put("app/packs/1", [1])
        FaultyStoreIO.removeAll(folder.path / removed, SystemStoreIO())
        try await putting.put("app/packs/2", [2])
        io.cutPower()
        #expect(try await store.exists("app/packs/2"))
    }

    @Test func `G3 I3 what is put into a folder that another process made again outlives a power cut`() async throws {
        let io = FaultyStoreIO()
        let putting = Self.store(folder.path, io)
        try await putting.put("app/packs/1", [1])
        // A change in the same tick of the filesystem's clock would not show.
        usleep(20_000)
        FaultyStoreIO.removeAll(folder.path / "app/packs", SystemStoreIO())
        try io.makeFolder(folder.path / "app/packs", permissions: 0o755)
        try await putting.put("app/packs/2", [2])
        io.cutPower()
        #expect(try await store.exists("app/packs/2"))
    }

    @Test func `A folder that stays the same is made durable once`() async throws {
        let io = FaultyStoreIO()
        let putting = Self.store(folder.path, io)
        for number in 1...3 { try await putting.put("app/packs/\(number)", [1]) }
        #expect(io.operations.count { $0.hasPrefix("syncFolder") } == 3 + 1 + 1)
    }

    @Test func `I7 what was deleted stays so after a power cut, also where the folder was made again`() async throws {
        try await store.put("app/points/p/1-a", [1])
        let dying = FaultyStoreIO(fault: .killedAfter, at: 2)
        await #expect(throws: Killed.self) { try await Self.store(folder.path, dying).delete("app/points/p/1-a") }
        #expect(dying.operations.map { $0.split(separator: " ")[0] } == ["removeFile", "removeFolder"])
        // Another put dies before anything of it is durable.
        let next = dying.restarted()
        try next.makeFolder(folder.path / "app/points/p", permissions: 0o755)
        try next.open(folder.path / "app/points/p/2-b", .create, permissions: 0o644).close()
        try await Self.store(folder.path, next).delete("app/points/p/1-a")
        next.cutPower()
        #expect(try await !store.exists("app/points/p/1-a"))
    }

    @Test(arguments: ["removeFile", "removeFolder", "syncFolder"])
    func `Whoever deletes does not mind that another hand removes the same right then`(_ operation: String) async throws {
        for (name, removed) in [("app/points/p/1-a", "app/points/p"), ("app/packs/1", "app/packs")] {
            try await store.put(name, [1])
            // Then the folder does not go with it.
            if operation == "syncFolder" { try await store.put(name + "-more", [1]) }
            let io = FaultyStoreIO()
            io.meanwhile { [folder] in
                if $0.hasPrefix("\(operation) \(folder.path / removed)") { FaultyStoreIO.removeAll(folder.path / removed, SystemStoreIO()) }
            }
            try await Self.store(folder.path, io).delete(name)
            #expect(try await !store.exists(name))
        }
    }

    @Test func `An object that goes while it is fetched or withdrawn is not there`() async throws {
        let path = folder.path / "app/leases/1"
        let io = FaultyStoreIO()
        io.meanwhile { if $0.hasPrefix("removeFile") || $0.hasPrefix("read") { try? SystemStoreIO().removeFile(path) } }
        try await store.put("app/leases/1", [1])
        try await Self.store(folder.path, io).withdraw("app/leases/1")
        try await store.put("app/leases/1", [1])
        let error = await #expect(throws: DRError.self) { try await Self.store(folder.path, io).get("app/leases/1") }
        #expect(error?.code == .notFound)
    }

    @Test func `The empty folder of a put that was killed goes when the points are settled, and no other`() async throws {
        try await store.put("app/points/p/1-a", [1])
        let dying = FaultyStoreIO()
        dying.meanwhile { if $0.hasPrefix("rename") { throw Killed() } }
        await #expect(throws: Killed.self) { try await Self.store(folder.path, dying).put("app/points/dead/1-a", [1]) }
        #expect(try SystemStoreIO().facts(folder.path / "app/points/dead") != nil)
        try await store.settle(["app/points/"])
        #expect(try SystemStoreIO().list(folder.path / "app/points") == [Array("p".utf8)])
        try SystemStoreIO().makeFolder(folder.path / "app/tombs", permissions: 0o755)
        try await store.settle(["app/"])
        #expect(try SystemStoreIO().facts(folder.path / "app/tombs") != nil)
    }
}
