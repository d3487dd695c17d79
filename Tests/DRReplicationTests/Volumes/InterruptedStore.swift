import DRModel
import DRSupport

/// A store where something happens just before each call.
struct InterruptedStore: ObjectStore {
    enum Call: Equatable, Sendable {
        case put(String)
        case get(String)
        case exists(String)
        case list(String)
        case delete(String)
    }

    let base: any ObjectStore
    let before: @Sendable (Call) async throws -> Void
    var name: StoreName { base.name }

    init(_ base: any ObjectStore, before: @escaping @Sendable (Call) async throws -> Void) {
        self.base = base
        self.before = before
    }

    /// Only before what is put.
    init(_ base: any ObjectStore, puts: @escaping @Sendable (String) async throws -> Void) {
        self.init(base) { call in if case .put(let name) = call { try await puts(name) } }
    }

    @discardableResult
    func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try await before(.put(name))
        return try await base.put(name, bytes)
    }

    func get(_ name: String) async throws -> [UInt8] {
        try await before(.get(name))
        return try await base.get(name)
    }

    func exists(_ name: String) async throws -> Bool {
        try await before(.exists(name))
        return try await base.exists(name)
    }

    func list(prefix: String) async throws -> [StoredObject] {
        try await before(.list(prefix))
        return try await base.list(prefix: prefix)
    }

    func delete(_ name: String) async throws {
        try await before(.delete(name))
        try await base.delete(name)
    }

    func settle(_ names: [String]) async throws { try await base.settle(names) }
}
