package import DRModel
internal import DRSupport

/// An object store in memory.
package final class MemoryObjectStore: ObjectStore {
    package let name: StoreName
    private let objects: Lock<[String: [UInt8]]>
    private let away: Lock<Bool>

    package convenience init(_ name: StoreName) { self.init(name, [:], false) }

    private init(_ name: StoreName, _ objects: [String: [UInt8]], _ away: Bool) {
        self.name = name
        self.objects = Lock(objects)
        self.away = Lock(away)
    }

    package func copy() -> MemoryObjectStore { MemoryObjectStore(name, objects.withLock { $0 }, away.withLock { $0 }) }

    package var count: Int { objects.withLock { $0.count } }
    package func goAway(_ isAway: Bool = true) { away.withLock { $0 = isAway } }

    private func reach() throws { if away.withLock({ $0 }) { throw DRError(.storeUnreachable, "\(name) cannot be reached") } }

    package func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try reach()
        return objects.withLock { objects in
            guard objects[name] == nil else { return false }
            objects[name] = bytes
            return true
        }
    }

    package func get(_ name: String) async throws -> [UInt8] {
        try reach()
        guard let bytes = objects.withLock({ $0[name] }) else { throw DRError(.notFound, "no object \(name)") }
        return bytes
    }

    package func exists(_ name: String) async throws -> Bool {
        try reach()
        return objects.withLock { $0[name] != nil }
    }

    package func list(prefix: String) async throws -> [StoredObject] {
        try reach()
        return objects.withLock { objects in
            objects.filter { $0.key.hasPrefix(prefix) }.map { StoredObject(name: $0.key, size: ByteCount($0.value.count)) }.sorted {
                $0.name < $1.name
            }
        }
    }

    package func delete(_ name: String) async throws {
        try reach()
        objects.withLock { $0[name] = nil }
    }

    package func settle(_ names: [String]) async throws { try reach() }
}
