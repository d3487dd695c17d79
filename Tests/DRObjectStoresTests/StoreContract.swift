import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Foundation
import Testing

/// What every object store does, whatever stands behind it. Other suites rely on nothing else.
struct StoreContract {
    let store: any ObjectStore
    /// Names of its own, so that a store may be used again.
    let root: String

    func check() async throws {
        try await onceAndForAll()
        try await places()
        try await announces()
        try await lists()
        try await manyAtOnce()
        try await refusesNames()
    }

    private func onceAndForAll() async throws {
        let name = "\(root)/packs/1"
        #expect(try await !store.exists(name))
        #expect(try await store.put(name, [1, 2, 3]))
        #expect(try await !store.put(name, [9]))
        #expect(try await store.get(name) == [1, 2, 3])
        #expect(try await store.exists(name))
        // Empty, all bytes, and larger than a part of S3.
        for (index, bytes) in [[], Array(0...255), (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }].enumerated() {
            #expect(try await store.put("\(root)/sizes/\(index)", bytes))
            #expect(try await store.get("\(root)/sizes/\(index)") == bytes)
            #expect(try await store.get("\(root)/sizes/\(index)", first: 100) == Array(bytes.prefix(100)))
            #expect(try await !store.put("\(root)/sizes/\(index)", bytes))
        }
        try await store.delete(name)
        try await store.delete(name)
        #expect(try await !store.exists(name))
        await #expect { try await store.get(name) } throws: { ($0 as? DRError)?.code == .notFound }
        #expect(try await store.put(name, [4]))
        #expect(try await store.get(name) == [4])
        try await store.settle([name, "\(root)/packs/none", "\(root)/nowhere/1"])
        #expect(try await store.get(name) == [4])
    }

    private func places() async throws {
        let (pack, record) = ("\(root)/placed/1", "\(root)/upon/1")
        #expect(try await store.place(pack, [1, 2]))
        #expect(try await !store.place(pack, [9]))
        #expect(try await store.put(record, [3], upon: [pack, "\(root)/placed/none", "\(root)/nowhere/1"]))
        #expect(try await !store.put(record, [9], upon: [pack]))
        #expect(try await store.get(pack) == [1, 2])
        #expect(try await store.get(record) == [3])
    }

    private func announces() async throws {
        let name = "\(root)/leases/1"
        for _ in 0..<2 { try await store.announce(name, [1]) }
        #expect(try await store.list(prefix: "\(root)/leases/").map(\.name) == [name])
        #expect(try await store.list(prefix: "\(root)/leases/").map(\.size) == [ByteCount(1)])
        #expect(try await store.get(name) == [1])
        for _ in 0..<2 { try await store.withdraw(name) }
        #expect(try await !store.exists(name))
    }

    private func lists() async throws {
        let names = ["a/1", "a/10", "a/2", "a-b", "a.c", "aa/x", "b/deep/er/1", "B/1"].map { "\(root)/list/\($0)" }
        for (index, name) in names.enumerated() { #expect(try await store.put(name, Array(repeating: 7, count: index))) }
        let all = try await store.list(prefix: "\(root)/list/")
        #expect(all.map(\.name) == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(all.first { $0.name == names[3] }?.size == ByteCount(3))
        #expect(try await store.list(prefix: "\(root)/list/a/1").map(\.name) == [names[0], names[1]])
        #expect(try await store.list(prefix: "\(root)/list/b/deep").map(\.name) == [names[6]])
        #expect(try await store.list(prefix: "\(root)/none/").isEmpty)
    }

    // Of several that put the same name one is told that it was first, and everybody reads what that one wrote.
    private func manyAtOnce() async throws {
        let name = "\(root)/race"
        let first = try await withThrowingTaskGroup(of: (UInt8, Bool).self) { group in
            for number in 0..<8 as Range<UInt8> { group.addTask { (number, try await store.put(name, [number])) } }
            return try await group.reduce(into: [UInt8]()) { if $1.1 { $0.append($1.0) } }
        }
        #expect(first.count == 1)
        #expect(try await store.get(name) == first)
    }

    private func refusesNames() async throws {
        for name in ["", "/", "a//b", "../x", "a/../b", "a/.hidden", "a b", "a/", "ä", "a\nb", "a?x", "a%2e"] {
            await #expect { try await store.put(name, []) } throws: { ($0 as? DRError)?.code == .invalidInput }
            await #expect(throws: DRError.self) { try await store.get(name) }
            await #expect(throws: DRError.self) { try await store.delete(name) }
        }
    }
}

/// A clock that only `sleep` moves, and remembers how long.
final class SteppedClock: WallClock {
    private let state = Lock<(now: Instant, slept: [Duration])>((Instant(nanosecondsSince1970: 1_772_331_300_000_000_000), []))
    var slept: [Duration] { state.withLock { $0.slept } }
    func now() -> Instant { state.withLock { $0.now } }
    func sleep(for duration: Duration) async throws {
        state.withLock {
            $0.now = $0.now + duration
            $0.slept.append(duration)
        }
    }
}

final class SeededRandom: RandomSource {
    private let number = Lock<UInt64>(7)
    func next() -> UInt64 {
        number.withLock {
            $0 = $0 &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return $0
        }
    }
}

/// An object store in memory.
final class MemoryStore: ObjectStore {
    let name: StoreName = "memory"
    let objects = Lock<[String: [UInt8]]>([:])

    private func check(_ name: String) throws {
        let isValid = name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            $0.wholeMatch(of: /[A-Za-z0-9_-][A-Za-z0-9._-]*/) != nil
        }
        if !isValid { throw DRError(.invalidInput, "\(name) is no name") }
    }

    func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try check(name)
        return objects.withLock { objects in
            if objects[name] != nil { return false }
            objects[name] = bytes
            return true
        }
    }
    func get(_ name: String) async throws -> [UInt8] {
        try check(name)
        guard let bytes = objects.withLock({ $0[name] }) else { throw DRError(.notFound, "no \(name)") }
        return bytes
    }
    func exists(_ name: String) async throws -> Bool { objects.withLock { $0[name] != nil } }
    func list(prefix: String) async throws -> [StoredObject] {
        objects.withLock { $0.filter { $0.key.hasPrefix(prefix) } }.map { StoredObject(name: $0.key, size: ByteCount($0.value.count)) }
            .sorted {
                $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
            }
    }
    func delete(_ name: String) async throws {
        try check(name)
        objects.withLock { _ = $0.removeValue(forKey: name) }
    }

    func settle(_ names: [String]) async throws {}
}
