internal import DRModel
internal import DRSupport

/// The packs of an own copy, open for reading; several threads may read at once.
final class PackFiles: Sendable {
    private let folder: StorePath
    private let io: any StoreIO
    private let names: ObjectNames
    private let open = Lock<[(id: PackID, file: any StoreFile)]>([])
    /// Chunks by their offset.
    private let footers = Lock<[(id: PackID, chunks: [PackedChunk])]>([])

    private static let most = 64
    private static let mostFooters = 256
    /// Of all footers that are kept: 8 MiB.
    private static let mostChunks = 1 << 17

    init(_ folder: StorePath, _ names: ObjectNames, io: any StoreIO) {
        self.folder = folder
        self.names = names
        self.io = io
    }

    func forget(_ id: PackID) {
        open.withLock { $0.removeAll { $0.id == id } }
        footers.withLock { $0.removeAll { $0.id == id } }
    }

    /// Fills the buffer with the bytes from `offset` on.
    func read(_ id: PackID, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws {
        let count = try DamagedCopy.noticing(names.pack(id)) { try unsafe file(id).read(at: offset, into: buffer) }
        guard count == buffer.count else {
            throw DamagedCopy(object: names.pack(id), what: "it ends too early")
        }
    }

    /// What the pack's footer says of the chunk there; nil when it knows none.
    func chunk(at location: ChunkLocation) throws -> PackedChunk? {
        if let found = footers.withLock({ $0.first { $0.id == location.pack } }) {
            return Self.chunk(at: location.offset, in: found.chunks)
        }
        let chunks = try DamagedCopy.noticing(names.pack(location.pack)) { try footer(location.pack) }
        footers.withLock { footers in
            footers.append((location.pack, chunks))
            while footers.count > 1, footers.count > Self.mostFooters || footers.reduce(0, { $0 + $1.chunks.count }) > Self.mostChunks {
                footers.removeFirst()
            }
        }
        return Self.chunk(at: location.offset, in: chunks)
    }

    private static func chunk(at offset: UInt32, in chunks: [PackedChunk]) -> PackedChunk? {
        var (low, high) = (0, chunks.count)
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].location.offset < offset { low = middle + 1 } else { high = middle }
        }
        return low < chunks.count && chunks[low].location.offset == offset ? chunks[low] : nil
    }

    private func footer(_ id: PackID) throws -> [PackedChunk] {
        let file = try file(id)
        let size = try file.facts().size
        do {
            func bytes(_ range: Range<Int64>) throws -> [UInt8] {
                guard range.lowerBound >= 0 else { throw Malformed("it is too short") }
                var bytes = [UInt8](repeating: 0, count: range.count)
                let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: range.lowerBound, into: $0) }
                guard count == bytes.count else { throw Malformed("it ends too early") }
                return bytes
            }
            let trailer = try bytes(size - Int64(PackBuilder.trailerSize)..<size)
            var reader = ByteReader(trailer, from: 4)
            let footer: UInt64 = try reader.number()
            guard footer >= UInt64(PackBuilder.headerSize), footer <= UInt64(size) else { throw Malformed("its footer is wrong") }
            let (actual, chunks) = try Pack.chunks(
                header: bytes(0..<Int64(PackBuilder.headerSize)), end: bytes(Int64(footer)..<size), footer: footer)
            guard actual == id else { throw Malformed("it is another pack") }
            return chunks.sorted { $0.location.offset < $1.location.offset }
        } catch let error as Malformed {
            throw DamagedCopy(object: names.pack(id), error)
        }
    }

    private func file(_ id: PackID) throws -> any StoreFile {
        if let found = open.withLock({ $0.first { $0.id == id } }) { return found.file }
        let file = try io.open(folder / names.pack(id), .read, permissions: 0)
        open.withLock { open in
            open.append((id, file))
            // Closed when nobody reads from it any more.
            if open.count > Self.most { open.removeFirst() }
        }
        return file
    }
}
