internal import DRModel
internal import DRSupport

/// Reads pieces of files on the workers: which chunks are as they were, which must be sent.
struct ChunkReader: Sendable {
    let io: any StoreIO
    let volume: VolumeName
    let writer: PackWriter
    let scratches: Scratches
    /// The packs of the application that the store holds.
    let stored: Set<PackID>
    let secret: MarkSecret
    /// Marks that are equal mean chunks that are equal; else only their SHA-256 does.
    let believesMarks: Bool

    struct Piece: Sendable {
        let chunks: [ScannedChunk]
        let bytesRead: Int64
    }

    /// A small file, all of it.
    struct Whole: Sendable {
        let source: VolumeFile.Source
        let size: Int64
        let known: PriorIndex.Chunk?
    }

    /// `known`: of each chunk in the range, nil where nothing is known. `mustBeSame`: the file counts as unchanged, and is read only because the store lost
    /// something.
    func read(
        _ file: VolumeFile, _ range: Range<Int64>, chunkSize: Int64, known: [PriorIndex.Chunk?], mustBeSame: Bool = false
    ) throws -> Piece {
        try scratches.use { try read(file, range, chunkSize: chunkSize, known: known, mustBeSame: mustBeSame, $0) }
    }

    private func read(
        _ file: VolumeFile, _ range: Range<Int64>, chunkSize: Int64, known: [PriorIndex.Chunk?], mustBeSame: Bool, _ scratch: Scratch
    ) throws -> Piece {
        let buffer = unsafe scratch.buffer
        var chunks: [ScannedChunk] = []
        var read: Int64 = 0
        // A quarter of a megabyte stays in the processor's cache while it is hashed.
        let most = max(Int64(256 << 10), chunkSize)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = Int(min(most, range.upperBound - offset))
            let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            guard try unsafe file.read(at: offset, into: piece) == wanted else { throw file.changed }
            read += Int64(wanted)
            var start = 0
            while start < wanted {
                let end = min(start + Int(chunkSize), wanted)
                let index = (offset + Int64(start)) / chunkSize
                let position = Int(index - range.lowerBound / chunkSize)
                let before = position < known.count ? known[position] : nil
                let chunk = unsafe chunk(index, UnsafeRawBufferPointer(rebasing: piece[start..<end]), before, scratch.compressor)
                if mustBeSame, chunk?.hash != before?.hash { throw file.changed }
                if let chunk { chunks.append(chunk) }
                start = end
            }
            offset += Int64(wanted)
        }
        return Piece(chunks: chunks, bytesRead: read)
    }

    /// Small files one after the other, so that one piece of work is worth handing over.
    func read(_ files: [Whole]) throws -> [Piece] {
        try scratches.use { scratch in
            try files.map { whole in
                let file = try VolumeFile(whole.source, volume, io)
                let piece = try read(
                    file, 0..<whole.size, chunkSize: Int64(Scratch.size), known: [whole.known], mustBeSame: false, scratch)
                try file.finish()
                return piece
            }
        }
    }

    /// `known`: pages that need not be sent again where the store has their packs.
    func send(_ page: MapBuilder.Finished, unless known: Lock<[ContentHash: ChunkLocation]>) -> CachedPage {
        let stored = page.stored()
        let there = known.withLock { $0[stored.name] }.flatMap { self.stored.contains($0.pack) ? $0 : nil }
        let location =
            there
            ?? scratches.use { scratch in
                unsafe stored.bytes.withUnsafeBytes { unsafe writer.add(stored.name, $0, scratch.compressor) }
            }
        return CachedPage(page, as: stored, at: location)
    }

    /// Nil where all is zero.
    private func chunk(_ index: Int64, _ bytes: UnsafeRawBufferPointer, _ known: PriorIndex.Chunk?, _ compressor: Compressor)
        -> ScannedChunk?
    {
        let here = known.flatMap { stored.contains($0.location.pack) ? $0 : nil }
        if believesMarks, let here, let before = here.mark {
            let mark = unsafe ChunkMark(of: bytes, secret)
            if mark == before { return ScannedChunk(index: index, hash: here.hash, mark: mark, location: here.location) }
        }
        if unsafe isZero(bytes) { return nil }
        let hash = unsafe ContentHash(of: bytes)
        let location = here?.hash == hash ? here?.location : nil
        return unsafe ScannedChunk(
            index: index, hash: hash, mark: ChunkMark(of: bytes, secret), location: location ?? writer.add(hash, bytes, compressor))
    }
}

/// A file whose bytes are read for a publication. Read from the live volume it must be, before and after, the file that was described.
final class VolumeFile: Sendable {
    /// Where its bytes are: a copy of the capture's, or the live file, which must be the one described.
    struct Source: Sendable {
        let path: StorePath
        let expected: FileIdentity?
    }

    private let file: any StoreFile
    private let source: Source
    private let volume: VolumeName

    init(_ source: Source, _ volume: VolumeName, _ io: any StoreIO) throws {
        self.source = source
        self.volume = volume
        do { file = try io.open(source.path, .read, permissions: 0) } catch let error as IOFailure where error.isMissing {
            throw Self.changed(source.path, volume)
        }
        try check()
    }

    var changed: DRError { Self.changed(source.path, volume) }

    static func changed(_ path: StorePath, _ volume: VolumeName) -> DRError {
        DRError(
            .io, "volume \(volume) changed while it was being sent: \(path)",
            hint: "something still writes to it: stop it, or migrate while the application runs")
    }

    private func check() throws {
        if let expected = source.expected, FileIdentity(try file.facts()) != expected { throw changed }
    }

    /// Call it when everything is read.
    func finish() throws {
        try check()
        try file.close()
    }

    // Where a file is shorter on disk than it is long; only then is the filesystem's word on holes needed.
    func hasHoles() throws -> Bool {
        let facts = try file.facts()
        return facts.allocated < facts.size
    }

    func nextData(from offset: Int64) throws -> Range<Int64>? { try file.nextData(from: offset) }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try unsafe file.read(at: offset, into: buffer) }
}
