internal import Crypto
public import DRModel
internal import DRSupport

/// A key of 256 bits. It is in no description, error or record; its id, made from it, is.
public struct SealingKey: Sendable, CustomStringConvertible, CustomReflectable {
    let key: SymmetricKey
    /// 16 hex digits.
    public let id: String

    /// `text`: 64 hex digits, as `openssl rand -hex 32` writes them. `source` is what an error calls it. Throws `configuration`.
    public init(_ text: String, source: String) throws(DRError) {
        let digits = text.filter { !$0.isWhitespace }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { place in
            UInt8(digits.dropFirst(place).prefix(2), radix: 16)
        }
        guard digits.utf8.count == 64, bytes.count == 32 else {
            throw DRError(.configuration, "\(source) is no key: expected 64 hex digits", hint: "make one with `openssl rand -hex 32`")
        }
        key = SymmetricKey(data: bytes)
        let code = HMAC<SHA256>.authenticationCode(for: Array("drrunbook key id".utf8), using: key)
        id = String(Digest.hex(Array(code)).prefix(16))
    }

    public var description: String { "key \(id)" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// Objects that nobody can read or change who has no key: each sealed with AES-256-GCM under a key of its own, bound to its name. See docs/formats.md.
///
/// Written with the first key, read with any: put a new key first to rotate, and remove the old one when no object needs it. Names and sizes are not hidden.
public struct SealedObjectStore: ObjectStore {
    private let store: any ObjectStore
    private let keys: [SealingKey]

    static let magic = Array("DRSEAL1\n".utf8)
    /// magic, version u16, cipher u8, 0 u8, key id, salt
    private static let header = 8 + 4 + 8 + 16
    /// What sealing adds to every object.
    static let overhead = header + 16

    /// `keys`: the first one seals. Throws `configuration` when there is none.
    public init(_ store: any ObjectStore, keys: [SealingKey]) throws(DRError) {
        guard !keys.isEmpty else { throw DRError(.configuration, "store \(store.name): encryption without a key") }
        self.store = store
        self.keys = keys
    }

    public var name: StoreName { store.name }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool { try await store.put(name, try seal(bytes, as: name)) }
    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8], upon names: [String]) async throws -> Bool {
        try await store.put(name, try seal(bytes, as: name), upon: names)
    }
    @discardableResult
    public func place(_ name: String, _ bytes: [UInt8]) async throws -> Bool { try await store.place(name, try seal(bytes, as: name)) }
    public func get(_ name: String) async throws -> [UInt8] { try open(try await store.get(name), as: name) }
    public func get(_ name: String, first count: Int) async throws -> [UInt8] { Array(try await get(name).prefix(count)) }
    public func exists(_ name: String) async throws -> Bool { try await store.exists(name) }
    public func delete(_ name: String) async throws { try await store.delete(name) }
    public func settle(_ names: [String]) async throws { try await store.settle(names) }
    public func withdraw(_ name: String) async throws { try await store.withdraw(name) }
    public func announce(_ name: String, _ bytes: [UInt8]) async throws { try await store.announce(name, try seal(bytes, as: name)) }

    public func seal(of name: String) async throws -> ObjectSeal? {
        let header = try await store.get(name, first: Self.header)
        guard header.count == Self.header, header.starts(with: Self.magic) else { return nil }
        let id = Digest.hex(Array(header[12..<20]))
        guard let place = keys.firstIndex(where: { $0.id == id }) else { return .missing(id) }
        return place == 0 ? .current(id) : .earlier(id)
    }

    /// Sizes as they were before sealing.
    public func list(prefix: String) async throws -> [StoredObject] {
        try await store.list(prefix: prefix).map { object in
            StoredObject(name: object.name, size: ByteCount(max(0, object.size.bytes - Int64(Self.overhead))))
        }
    }

    private func seal(_ bytes: [UInt8], as name: String) throws -> [UInt8] {
        let key = keys[0]
        let salt = unsafe SymmetricKey(size: .bits128).withUnsafeBytes { unsafe Array($0) }
        let header = Self.magic + [1, 0, 1, 0] + Self.bytes(ofHex: key.id) + salt
        let box = try AES.GCM.seal(
            bytes, using: Self.objectKey(key, salt, name), nonce: Self.nonce(), authenticating: header + Array(name.utf8))
        return header + Array(box.ciphertext) + Array(box.tag)
    }

    private func open(_ sealed: [UInt8], as name: String) throws -> [UInt8] {
        guard sealed.count >= Self.overhead, sealed.starts(with: Self.magic) else {
            throw DRError(
                .damaged, "object \(name) of store \(self.name) is not encrypted, though the store is",
                hint: "it was written before encryption was set up, or by somebody else; use an empty store")
        }
        let header = Array(sealed[..<Self.header])
        guard header[8..<12].elementsEqual([1, 0, 1, 0]) else {
            throw DRError(
                .damaged, "object \(name) of store \(self.name) is sealed in a way this version does not know",
                hint: "use the program that wrote it, or a later one", details: ["newer": true])
        }
        let id = Digest.hex(Array(header[12..<20]))
        guard let key = keys.first(where: { $0.id == id }) else {
            throw DRError(
                .keyMissing, "object \(name) of store \(self.name) is sealed with key \(id), which is not here",
                hint:
                    "keys here: \(keys.map(\.id).joined(separator: ", ")); add the key it was written with under `encryption`; where the own copy is sound, "
                    + "`drrunbook scrub` seals it anew")
        }
        do {
            let box = try AES.GCM.SealedBox(
                nonce: Self.nonce(), ciphertext: sealed[Self.header..<(sealed.count - 16)], tag: sealed[(sealed.count - 16)...])
            return Array(
                try AES.GCM.open(
                    box, using: Self.objectKey(key, Array(header[20...]), name), authenticating: header + Array(name.utf8)))
        } catch {
            throw DRError(.damaged, "object \(name) of store \(self.name) was changed after it was written, or is another one's")
        }
    }

    // A key of its own for each object, so the nonce may always be zero.
    private static func objectKey(_ key: SealingKey, _ salt: [UInt8], _ name: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key.key, salt: salt, info: magic + Array(name.utf8), outputByteCount: 32)
    }

    private static func nonce() throws -> AES.GCM.Nonce { try AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12)) }

    private static func bytes(ofHex text: String) -> [UInt8] {
        stride(from: 0, to: text.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
    }
}
