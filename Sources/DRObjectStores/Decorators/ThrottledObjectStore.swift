public import DRModel
internal import DRSupport

/// A store that is given no more than so many bytes a second, both ways together, over all its callers.
public final class ThrottledObjectStore: ObjectStore {
    private let store: any ObjectStore
    private let bandwidth: ByteCount
    private let clock: any WallClock
    /// When the line is free again.
    private let free: Lock<Instant?> = Lock(nil)

    /// `bandwidth`: a second; at least 1.
    public init(_ store: any ObjectStore, bandwidth: ByteCount, clock: any WallClock) {
        self.store = store
        self.bandwidth = bandwidth
        self.clock = clock
    }

    public var name: StoreName { store.name }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try await wait(for: bytes.count)
        return try await store.put(name, bytes)
    }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8], upon names: [String]) async throws -> Bool {
        try await wait(for: bytes.count)
        return try await store.put(name, bytes, upon: names)
    }

    @discardableResult
    public func place(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try await wait(for: bytes.count)
        return try await store.place(name, bytes)
    }

    /// Its size is known when it is there: the pause comes afterwards.
    public func get(_ name: String) async throws -> [UInt8] {
        let bytes = try await store.get(name)
        try await wait(for: bytes.count)
        return bytes
    }

    public func get(_ name: String, first count: Int) async throws -> [UInt8] {
        let bytes = try await store.get(name, first: count)
        try await wait(for: bytes.count)
        return bytes
    }

    public func seal(of name: String) async throws -> ObjectSeal? { try await store.seal(of: name) }
    public func exists(_ name: String) async throws -> Bool { try await store.exists(name) }
    public func list(prefix: String) async throws -> [StoredObject] { try await store.list(prefix: prefix) }
    public func delete(_ name: String) async throws { try await store.delete(name) }
    public func settle(_ names: [String]) async throws { try await store.settle(names) }
    public func withdraw(_ name: String) async throws { try await store.withdraw(name) }
    public func announce(_ name: String, _ bytes: [UInt8]) async throws {
        try await wait(for: bytes.count)
        try await store.announce(name, bytes)
    }

    private func wait(for count: Int) async throws {
        let now = clock.now()
        let time = Duration.nanoseconds(Int64(Double(count) / Double(max(1, bandwidth.bytes)) * 1e9))
        let until = free.withLock { free in
            let end = max(free ?? now, now) + time
            free = end
            return end
        }
        if until > now { try await clock.sleep(for: until - now) }
    }
}
