/// The transport between clusters: named objects that are written once and never changed.
///
/// Names are `/`-separated segments of letters, digits, `.`, `_` and `-`. Errors: `store-unreachable`, `not-found` (get only), `no-space`, `io`;
/// of `get` also `damaged` (what is there cannot be what was put) and `key-missing` (it is sealed, and nobody here can open it).
public protocol ObjectStore: Sendable {
    var name: StoreName { get }
    /// Durable when it returns. False, and nothing changed, when `name` exists already.
    @discardableResult func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool
    /// As `put`, and before `name` is there what is listed of `names` is settled: for what is only true with them.
    @discardableResult func put(_ name: String, _ bytes: [UInt8], upon names: [String]) async throws -> Bool
    /// As `put`, but for its name: it is durable when it was settled, or something was put upon it. Until then a power cut may take the object.
    @discardableResult func place(_ name: String, _ bytes: [UInt8]) async throws -> Bool
    func get(_ name: String) async throws -> [UInt8]
    /// Its first bytes, all of it where there are no more.
    func get(_ name: String, first count: Int) async throws -> [UInt8]
    /// With what it is sealed; nil where nothing is. Throws `not-found`.
    func seal(of name: String) async throws -> ObjectSeal?
    func exists(_ name: String) async throws -> Bool
    /// Names with their sizes, in bytewise order. What came and what went by another process may be lost with the power: see `settle`.
    func list(prefix: String) async throws -> [StoredObject]
    /// Durable when it returns. Deleting what is not there succeeds.
    func delete(_ name: String) async throws
    /// Makes durable what is listed of these names, and of everything below those that end in `/`: that it is there, or that it is not. Whoever put or deleted
    /// it may have died before it was. Call it before something follows from a list. What a killed put left empty goes.
    func settle(_ names: [String]) async throws
    /// Puts what is for those who list from now on, and for nobody after a power cut, which may take it.
    func announce(_ name: String, _ bytes: [UInt8]) async throws
    /// Deletes it again. A power cut may bring it back.
    func withdraw(_ name: String) async throws
}

extension ObjectStore {
    public func get(_ name: String, first count: Int) async throws -> [UInt8] { Array(try await get(name).prefix(count)) }
    public func seal(of name: String) async throws -> ObjectSeal? { nil }
    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8], upon names: [String]) async throws -> Bool {
        try await settle(names)
        return try await put(name, bytes)
    }
    @discardableResult
    public func place(_ name: String, _ bytes: [UInt8]) async throws -> Bool { try await put(name, bytes) }
    public func announce(_ name: String, _ bytes: [UInt8]) async throws { try await put(name, bytes) }
    public func withdraw(_ name: String) async throws { try await delete(name) }
}

public struct StoredObject: Hashable, Sendable {
    public let name: String
    public let size: ByteCount

    public init(name: String, size: ByteCount) {
        self.name = name
        self.size = size
    }
}

/// With which key an object is sealed, by the key's id.
public enum ObjectSeal: Hashable, Sendable {
    /// The one that new objects are sealed with.
    case current(String)
    /// An earlier one, which is still here.
    case earlier(String)
    /// One that is not here: nobody can open the object.
    case missing(String)
}
