internal import DRModel
internal import DRSupport

/// Puts chunks into packs and hands full packs to the outbox; several threads may add at once. Chunks that a dead run of the same session has sent are
/// found again.
final class PackWriter: Sendable {
    private struct State {
        var open: PackBuilder?
        var ordinal: UInt32 = 0
        var used: [(id: PackID, size: Int64)] = []
        var adopted: [ContentHash: ChunkLocation] = [:]
        var adoptedSizes: [PackID: Int64] = [:]
        var sent: Int64 = 0
        /// The memory of packs that were put.
        var buffers: [[UInt8]] = []
    }

    private let outbox: Outbox
    private let names: ObjectNames
    private let session: Session
    private let lease: Lease
    private let random: any RandomSource
    private let objectSize: Int
    private let state = Lock(State())

    /// More is sent again: the list of adopted chunks is in memory.
    private static let mostAdopted = 1 << 20

    init(_ outbox: Outbox, names: ObjectNames, session: Session, lease: Lease, random: any RandomSource, objectSize: ByteCount) {
        self.outbox = outbox
        self.names = names
        self.session = session
        self.lease = lease
        self.random = random
        self.objectSize = Int(min(max(objectSize.bytes, 1 << 20), 512 << 20))
    }

    /// The packs that this publication uses, and what it has sent. Call it when everything is put.
    var packs: [(id: PackID, size: Int64)] { state.withLock { $0.used } }
    var bytesSent: Int64 { state.withLock { $0.sent } }

    /// Reads the packs that the session left, whole: only what verifies is used again.
    func adopt(_ existing: [String: Int64], from store: any ObjectStore) async throws {
        for name in existing.keys.filter({ $0.hasPrefix(names.packs(of: session)) }).sorted() {
            guard state.withLock({ $0.adopted.count < Self.mostAdopted }) else { return }
            let object: [UInt8]
            // Swept meanwhile, or nothing to build upon: what it held is sent again.
            do { object = try await store.get(name) } catch let error as DRError
                where [.notFound, .damaged, .keyMissing].contains(error.code)
            {
                continue
            }
            guard let pack = try? Pack(parsing: object), names.pack(pack.id) == name, (try? pack.check(object)) != nil else { continue }
            let size = Int64(object.count)
            state.withLock { state in
                for chunk in pack.chunks { state.adopted[chunk.hash] = chunk.location }
                state.adoptedSizes[pack.id] = size
            }
        }
    }

    func add(_ hash: ContentHash, _ bytes: UnsafeRawBufferPointer, _ compressor: Compressor) -> ChunkLocation {
        let found = state.withLock { state -> ChunkLocation? in
            guard !state.adopted.isEmpty, let location = state.adopted[hash] else { return nil }
            if let size = state.adoptedSizes.removeValue(forKey: location.pack) { state.used.append((location.pack, size)) }
            return location
        }
        if let found { return found }
        let length = bytes.count
        return unsafe compressor.pack(bytes) { codec, stored in
            let (location, full) = state.withLock { state -> (ChunkLocation, Lock<PackBuilder?>?) in
                // Held in one place only, at any time: else its megabytes would be copied when it is finished.
                let full = state.open?.hasRoom(for: stored.count) == false ? Lock(state.open.take()) : nil
                if state.open == nil {
                    state.ordinal += 1
                    state.open = PackBuilder(
                        id: PackID(session: session, random: random.next()), ordinal: state.ordinal, capacity: objectSize,
                        buffer: state.buffers.popLast() ?? [])
                }
                guard let location = unsafe state.open?.add(hash, length: length, codec: codec, stored: stored) else {
                    preconditionFailure("there is an open pack")
                }
                return (location, full)
            }
            if let full { push(full) }
            return location
        }
    }

    /// Sends the last pack, too.
    func flush() {
        push(state.withLock { Lock<PackBuilder?>($0.open.take()) })
    }

    private func push(_ pack: Lock<PackBuilder?>) {
        guard let id = pack.withLock({ $0?.id }), let object = pack.withLock({ $0?.finish() }) else { return }
        let name = names.pack(id)
        state.withLock { state in
            state.used.append((id, Int64(object.count)))
            state.sent += Int64(object.count)
        }
        let box = Lock<[UInt8]?>(object)
        _ = consume object
        outbox.push { [state, lease] store in
            try await lease.renew()
            failpoint("publish.pack")
            guard let object = box.withLock({ $0 }) else { return }
            guard try await store.place(name, object) else {
                throw DRError(.conflict, "\(name) is in \(store.name) already", hint: "the random numbers repeat")
            }
            _ = consume object
            state.withLock { state in
                if let buffer = box.withLock({ $0.take() }) { state.buffers.append(buffer) }
            }
        }
    }
}

extension Pack {
    /// Throws when a chunk is not what the footer says.
    func check(_ object: [UInt8]) throws(Malformed) {
        let compressor = Compressor()
        var target = [UInt8]()
        for (number, chunk) in chunks.enumerated() {
            guard chunk.length <= 1 << 28 else { throw Malformed("chunk \(number): its length is wrong") }
            if target.count < Int(chunk.length) { target = [UInt8](repeating: 0, count: Int(chunk.length)) }
            let range = Int(chunk.location.offset)..<Int(chunk.location.offset) + Int(chunk.location.stored)
            let isSame: Bool
            do {
                isSame = try unsafe object.withUnsafeBytes { all in
                    try unsafe target.withUnsafeMutableBytes { room in
                        let place = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<Int(chunk.length)])
                        try unsafe compressor.unpack(UnsafeRawBufferPointer(rebasing: all[range]), chunk.location.codec, into: place)
                        return unsafe ContentHash(of: UnsafeRawBufferPointer(place)) == chunk.hash
                    }
                }
            } catch { throw Malformed("chunk \(number): \((error as? Malformed)?.what ?? "it cannot be read")") }
            guard isSame else { throw Malformed("chunk \(number): its checksum is wrong") }
        }
    }
}
