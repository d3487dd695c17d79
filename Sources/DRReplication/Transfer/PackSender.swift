internal import DRModel
internal import DRSupport

/// Sends chunks to a store in packs. Chunks that a dead run of the same session has sent already are found again.
final class PackSender {
    private let store: any ObjectStore
    private let names: ObjectNames
    private let session: Session
    private let random: any RandomSource
    private let objectSize: Int
    private let compressor: Compressor
    private var pack: PackBuilder?
    private var ordinal: UInt32 = 0
    private var adopted: [ContentHash: ChunkLocation] = [:]
    private var adoptedSizes: [PackID: Int64] = [:]
    private(set) var packs: [(id: PackID, size: Int64)] = []
    private(set) var bytesSent: Int64 = 0

    /// More is sent again: the list of adopted chunks is in memory.
    private static let mostAdopted = 1 << 20

    init(
        store: any ObjectStore, names: ObjectNames, session: Session, random: any RandomSource, objectSize: ByteCount,
        compressor: Compressor
    ) {
        self.store = store
        self.names = names
        self.session = session
        self.random = random
        self.objectSize = Int(min(max(objectSize.bytes, 1 << 20), 512 << 20))
        self.compressor = compressor
    }

    /// Reads the packs that the session left, whole: only what verifies is used again.
    func adopt(_ existing: [String: Int64]) async throws {
        for name in existing.keys.filter({ $0.hasPrefix(names.packs(of: session)) }).sorted() where adopted.count < Self.mostAdopted {
            let object = try await store.get(name)
            guard let pack = try? Pack(parsing: object), names.pack(pack.id) == name else { continue }
            for chunk in pack.chunks { adopted[chunk.hash] = chunk.location }
            adoptedSizes[pack.id] = Int64(object.count)
        }
    }

    func send(_ hash: ContentHash, _ bytes: [UInt8]) async throws -> ChunkLocation {
        if let location = adopted[hash] {
            if let size = adoptedSizes.removeValue(forKey: location.pack) { packs.append((location.pack, size)) }
            return location
        }
        let (codec, stored) = unsafe bytes.withUnsafeBytes { unsafe compressor.pack($0) }
        if let pack, !pack.hasRoom(for: stored.count) { try await flush() }
        var open = pack ?? newPack()
        pack = nil
        let location = open.add(hash, length: bytes.count, codec: codec, stored: stored)
        pack = open
        return location
    }

    func flush() async throws {
        guard let full = pack else { return }
        pack = nil
        let id = full.id
        let object = full.finished()
        failpoint("publish.pack")
        guard try await store.put(names.pack(id), object) else {
            throw DRError(.conflict, "\(names.pack(id)) is in \(store.name) already", hint: "the random numbers repeat")
        }
        packs.append((id, Int64(object.count)))
        bytesSent += Int64(object.count)
    }

    private func newPack() -> PackBuilder {
        ordinal += 1
        return PackBuilder(id: PackID(session: session, random: random.next()), ordinal: ordinal, capacity: objectSize)
    }
}
