/// The transport between clusters: named objects that are written once and never changed.
///
/// Names are `/`-separated segments of letters, digits, `.`, `_` and `-`. Errors: `store-unreachable`, `not-found` (get only), `no-space`, `io`.
public protocol ObjectStore: Sendable {
    var name: StoreName { get }
    /// Durable when it returns. False, and nothing changed, when `name` exists already.
    @discardableResult func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool
    func get(_ name: String) async throws -> [UInt8]
    func exists(_ name: String) async throws -> Bool
    /// Names with their sizes, in bytewise order.
    func list(prefix: String) async throws -> [StoredObject]
    /// Deleting what is not there succeeds.
    func delete(_ name: String) async throws
}

public struct StoredObject: Hashable, Sendable {
    public let name: String
    public let size: ByteCount

    public init(name: String, size: ByteCount) {
        self.name = name
        self.size = size
    }
}
