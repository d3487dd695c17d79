internal import DRModel
internal import DRSupport

/// Turns the catalogue of one captured volume into map pages, reading only files that are not known to be unchanged and sending only chunks that the
/// store lacks.
struct VolumeScan {
    let volume: VolumeName
    let live: StorePath
    let captured: StorePath
    let io: any StoreIO
    let prior: PriorIndex
    /// Nil when the map of the earlier point came from the store, which does not know the files' marks.
    let cache: ScanCache?
    let sender: PackSender
    /// The objects of the application that the store holds.
    let existing: [String: Int64]
    let names: ObjectNames
    let putPage: (StoredPage) async throws -> Void

    private(set) var bytesRead: Int64 = 0
    private(set) var size: Int64 = 0
    private var entries: [VolumeIndex.Entry] = []
    private var builder = MapBuilder()
    private var next: FrameWriter?
    // A megabyte: a multiple of every chunk size.
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)

    init(
        volume: VolumeName, live: StorePath, captured: StorePath, io: any StoreIO, prior: PriorIndex, cache: ScanCache?, sender: PackSender,
        existing: [String: Int64], names: ObjectNames, putPage: @escaping (StoredPage) async throws -> Void
    ) {
        self.volume = volume
        self.live = live
        self.captured = captured
        self.io = io
        self.prior = prior
        self.cache = cache
        self.sender = sender
        self.existing = existing
        self.names = names
        self.putPage = putPage
    }

    /// `nextCache` receives the frames of the next cache between its header and its end.
    mutating func run(_ catalogue: CatalogueReader, nextCache: FrameWriter) async throws -> VolumeIndex {
        next = nextCache
        while let entry = try catalogue.next() {
            try await finished(builder.add(entry.node, identity: entry.identity))
            guard case .file(let size, let chunkSize, _) = entry.node.content, let identity = entry.identity else { continue }
            let known = try await prior.file(at: entry.node.path)
            if let known, let cache, cache.trusts(known.identity, identity) {
                try await copyRuns(of: entry, identity)
            } else if size > 0 {
                try await read(entry, identity, size: size, chunkSize: Int64(chunkSize), isKnown: known != nil)
            }
        }
        try await finished(builder.finish())
        return VolumeIndex(kind: catalogue.kind, entries: entries)
    }

    private mutating func finished(_ pages: [MapBuilder.Finished]) async throws {
        for finished in pages {
            try Task.checkCancellation()
            entries.append(VolumeIndex.Entry(content: finished.page.contentHash, page: finished.page.name))
            try await putPage(finished.page)
            try next?.write(ScanCache.frame(finished.page, finished.identities))
        }
    }

    private func isStored(_ location: ChunkLocation) -> Bool { existing[names.pack(location.pack)] != nil }

    // MARK: A file that is known

    private mutating func copyRuns(of entry: CatalogueEntry, _ identity: FileIdentity) async throws {
        guard case .file(let size, let chunkSize, _) = entry.node.content else { return }
        var source: VolumeFile?
        while let run = try await prior.nextRun() {
            for (offset, hash) in run.hashes.enumerated() {
                let index = run.first + Int64(offset)
                var location = run.locations[offset]
                if !isStored(location) {
                    // The store has lost the pack: the bytes are sent once more.
                    let file = try source ?? open(entry, identity)
                    source = file
                    let bytes = try file.chunk(index, of: size, chunkSize: Int64(chunkSize))
                    bytesRead += Int64(bytes.count)
                    guard ContentHash(of: bytes) == hash else { throw file.changed }
                    location = try await sender.send(hash, bytes)
                }
                self.size += min(Int64(chunkSize), size - index * Int64(chunkSize))
                try await finished(builder.add(chunk: index, hash, location))
            }
        }
        try source?.finish()
    }

    // MARK: A file that must be read

    private func open(_ entry: CatalogueEntry, _ identity: FileIdentity) throws -> VolumeFile {
        if let copy = entry.copy {
            let path = captured / String(copy)
            return VolumeFile(try io.open(path, .read, permissions: 0), path: path, volume: volume, expected: nil)
        }
        let path = entry.node.path.isEmpty ? live : live / entry.node.path
        do {
            let file = VolumeFile(try io.open(path, .read, permissions: 0), path: path, volume: volume, expected: identity)
            try file.check()
            return file
        } catch let error as IOFailure where error.isMissing {
            throw VolumeFile.changed(path, volume)
        }
    }

    private mutating func read(_ entry: CatalogueEntry, _ identity: FileIdentity, size: Int64, chunkSize: Int64, isKnown: Bool) async throws
    {
        let source = try open(entry, identity)
        let hasHoles = try source.hasHoles()
        var offset: Int64 = 0
        while offset < size {
            if hasHoles {
                guard let data = try source.nextData(from: offset) else { break }
                offset = max(offset, data.lowerBound / chunkSize * chunkSize)
            }
            let wanted = Int(min(Int64(buffer.count), size - offset))
            let count = try unsafe buffer.withUnsafeMutableBytes {
                try unsafe source.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
            }
            guard count == wanted else { throw source.changed }
            bytesRead += Int64(count)
            var start = 0
            while start < count {
                let end = min(start + Int(chunkSize), count)
                try await chunk((offset + Int64(start)) / chunkSize, start..<end, isKnown: isKnown)
                start = end
            }
            offset += Int64(count)
        }
        try source.finish()
    }

    private mutating func chunk(_ index: Int64, _ range: Range<Int>, isKnown: Bool) async throws {
        let hash: ContentHash? = unsafe buffer.withUnsafeBytes { bytes in
            let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
            return unsafe isZero(piece) ? nil : unsafe ContentHash(of: piece)
        }
        guard let hash else { return }
        size += Int64(range.count)
        let location: ChunkLocation
        if isKnown, let known = try await prior.chunk(index), known.hash == hash, isStored(known.location) {
            location = known.location
        } else {
            location = try await sender.send(hash, Array(buffer[range]))
        }
        try await finished(builder.add(chunk: index, hash, location))
    }
}

/// A file whose bytes are read for a publication. Read from the live volume it must be, before and after, the file that was described.
final class VolumeFile {
    private let file: any StoreFile
    private let path: StorePath
    private let volume: VolumeName
    private let expected: FileIdentity?

    init(_ file: any StoreFile, path: StorePath, volume: VolumeName, expected: FileIdentity?) {
        self.file = file
        self.path = path
        self.volume = volume
        self.expected = expected
    }

    var changed: DRError { Self.changed(path, volume) }

    static func changed(_ path: StorePath, _ volume: VolumeName) -> DRError {
        DRError(
            .io, "volume \(volume) changed while it was being sent: \(path)",
            hint: "something still writes to it: stop it, or migrate while the application runs")
    }

    func check() throws {
        if let expected, FileIdentity(try file.facts()) != expected { throw changed }
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

    func chunk(_ index: Int64, of size: Int64, chunkSize: Int64) throws -> [UInt8] {
        let length = Int(max(0, min(chunkSize, size - index * chunkSize)))
        var bytes = [UInt8](repeating: 0, count: length)
        let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: index * chunkSize, into: $0) }
        guard count == length else { throw changed }
        return bytes
    }
}
