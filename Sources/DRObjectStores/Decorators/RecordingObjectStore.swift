package import DRModel
internal import DRSupport

/// Counts and names every operation before it is handed on; and breaks it where a test says so.
package final class RecordingObjectStore: ObjectStore {
    package enum Fault: Sendable {
        /// Not done, and said so.
        case fails(DRError)
        /// Done, and the answer lost.
        case losesReply(DRError)
        /// A read with one bit turned.
        case damages
    }

    private let store: any ObjectStore
    private let state: Lock<(operations: [String], faults: [Int: Fault])>

    /// `faults`: by the number of the operation, from 1.
    package init(_ store: any ObjectStore, faults: [Int: Fault] = [:]) {
        self.store = store
        state = Lock(([], faults))
    }

    package var name: StoreName { store.name }
    /// `put NAME`, `get NAME` ... in the order in which they came.
    package var operations: [String] { state.withLock { $0.operations } }

    @discardableResult
    package func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try await around("put \(name)") { try await store.put(name, bytes) }
    }
    package func get(_ name: String) async throws -> [UInt8] {
        let (bytes, isDamaged) = try await withFault("get \(name)") { try await store.get(name) }
        guard isDamaged, !bytes.isEmpty else { return bytes }
        var damaged = bytes
        damaged[bytes.count / 2] ^= 1
        return damaged
    }
    package func exists(_ name: String) async throws -> Bool { try await around("exists \(name)") { try await store.exists(name) } }
    package func list(prefix: String) async throws -> [StoredObject] {
        try await around("list \(prefix)") { try await store.list(prefix: prefix) }
    }
    package func delete(_ name: String) async throws { try await around("delete \(name)") { try await store.delete(name) } }
    package func settle(_ names: [String]) async throws { try await around("settle") { try await store.settle(names) } }
    package func announce(_ name: String, _ bytes: [UInt8]) async throws {
        try await around("announce \(name)") { try await store.announce(name, bytes) }
    }
    package func withdraw(_ name: String) async throws { try await around("withdraw \(name)") { try await store.withdraw(name) } }

    private func around<Result>(_ operation: String, _ body: () async throws -> Result) async throws -> Result {
        try await withFault(operation, body).0
    }

    private func withFault<Result>(_ operation: String, _ body: () async throws -> Result) async throws -> (Result, Bool) {
        let fault = state.withLock { state in
            state.operations.append(operation)
            return state.faults[state.operations.count]
        }
        switch fault {
        case .fails(let error)?: throw error
        case .losesReply(let error)?:
            _ = try await body()
            throw error
        case .damages?: return (try await body(), true)
        case nil: return (try await body(), false)
        }
    }
}
