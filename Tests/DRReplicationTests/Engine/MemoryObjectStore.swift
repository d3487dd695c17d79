import DRModel
import DRSupport

/// An object store in memory.
final class MemoryObjectStore: ObjectStore {
    let name: StoreName
    private let objects = Lock<[String: [UInt8]]>([:])
    private let away = Lock(false)

    init(_ name: StoreName) { self.name = name }

    var count: Int { objects.withLock { $0.count } }
    func goAway() { away.withLock { $0 = true } }

    private func reach() throws { if away.withLock({ $0 }) { throw DRError(.storeUnreachable, "\(name) cannot be reached") } }

    func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try reach()
        return objects.withLock { objects in
            guard objects[name] == nil else { return false }
            objects[name] = bytes
            return true
        }
    }

    func get(_ name: String) async throws -> [UInt8] {
        try reach()
        guard let bytes = objects.withLock({ $0[name] }) else { throw DRError(.notFound, "no object \(name)") }
        return bytes
    }

    func exists(_ name: String) async throws -> Bool {
        try reach()
        return objects.withLock { $0[name] != nil }
    }

    func list(prefix: String) async throws -> [StoredObject] {
        try reach()
        return objects.withLock { objects in
            objects.filter { $0.key.hasPrefix(prefix) }.map { StoredObject(name: $0.key, size: ByteCount($0.value.count)) }.sorted {
                $0.name < $1.name
            }
        }
    }

    func delete(_ name: String) async throws {
        try reach()
        objects.withLock { $0[name] = nil }
    }
}
