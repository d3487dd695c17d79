internal import DRModel
internal import DRSupport

/// Chunks until there is a megabyte of them.
struct ChunkLoad {
    private var chunks: [PointReader.Wanted] = []
    private var bytes = 0

    /// What is to be read before this one is added, if that is a load.
    mutating func add(_ chunk: PointReader.Wanted) -> [PointReader.Wanted]? {
        var full: [PointReader.Wanted]?
        if !chunks.isEmpty, bytes + chunk.length > Scratch.size || chunks.count == 512 { full = take() }
        chunks.append(chunk)
        bytes += chunk.length
        return full
    }

    mutating func take() -> [PointReader.Wanted]? {
        defer { (chunks, bytes) = ([], 0) }
        return chunks.isEmpty ? nil : chunks
    }
}

/// Work under way, not too much of it; results are not kept.
struct Pending<Value: Sendable> {
    private var tickets = Queue<Ticket<Value>>()
    private let most: Int

    init(most: Int) { self.most = most }

    mutating func add(_ ticket: Ticket<Value>) throws {
        tickets.append(ticket)
        while tickets.count > most { try wait() }
    }

    mutating func finish() throws { while tickets.count > 0 { try wait() } }

    /// After an error: whoever goes on must not find somebody at work.
    mutating func abandon() {
        while let first = tickets.first {
            tickets.removeFirst()
            // The first error is told already.
            _ = try? first.wait()
        }
    }

    private mutating func wait() throws {
        guard let first = tickets.first else { return }
        tickets.removeFirst()
        _ = try first.wait()
    }
}

/// Reads chunks from packs, those that stand side by side at once, and compares each with its hash.
struct ChunkLoader: Sendable {
    private let packs: PackFiles
    private let names: ObjectNames

    init(_ packs: PackFiles, _ names: ObjectNames) {
        self.packs = packs
        self.names = names
    }

    /// Calls `body` with the bytes of each chunk, in order. They stand in the scratch's buffer, `place` from its beginning.
    func load(
        _ chunks: [PointReader.Wanted], _ scratch: Scratch, place: (PointReader.Wanted) -> Int = { _ in 0 },
        _ body: (PointReader.Wanted, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var next = 0
        while next < chunks.count {
            let end = sideBySide(chunks, from: next)
            let first = chunks[next].location
            let last = chunks[end - 1].location
            let length = Int(last.offset) + Int(last.stored) - Int(first.offset)
            guard length <= Scratch.size, chunks[next..<end].allSatisfy({ $0.length <= Scratch.size }) else {
                try unsafe loadLarge(chunks[next], scratch, place, body)
                next += 1
                continue
            }
            let stored = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.second[..<length])
            try unsafe packs.read(first.pack, at: Int64(first.offset), into: stored)
            for chunk in chunks[next..<end] {
                let start = Int(chunk.location.offset) - Int(first.offset)
                let piece = unsafe UnsafeRawBufferPointer(rebasing: stored[start..<start + Int(chunk.location.stored)])
                let at = place(chunk)
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.buffer[at..<at + chunk.length])
                try unsafe unpack(chunk, piece, room, scratch.compressor)
                try unsafe body(chunk, UnsafeRawBufferPointer(room))
            }
            next = end
        }
    }

    private func sideBySide(_ chunks: [PointReader.Wanted], from start: Int) -> Int {
        var end = start + 1
        while end < chunks.count {
            let (before, after) = (chunks[end - 1].location, chunks[end].location)
            guard before.pack == after.pack, Int(before.offset) + Int(before.stored) == Int(after.offset),
                Int(after.offset) + Int(after.stored) - Int(chunks[start].location.offset) <= Scratch.size
            else { break }
            end += 1
        }
        return end
    }

    // Of another policy's chunk size, or stored at more than its length.
    private func loadLarge(
        _ chunk: PointReader.Wanted, _ scratch: Scratch, _ place: (PointReader.Wanted) -> Int,
        _ body: (PointReader.Wanted, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard chunk.location.stored <= 1 << 28, chunk.length <= 1 << 28 else {
            throw DamagedCopy(object: names.pack(chunk.location.pack), what: "the length of chunk \(chunk.index) is wrong")
        }
        var stored = [UInt8](repeating: 0, count: Int(chunk.location.stored))
        try unsafe stored.withUnsafeMutableBytes {
            try unsafe packs.read(chunk.location.pack, at: Int64(chunk.location.offset), into: $0)
        }
        if chunk.length <= Scratch.size {
            let at = place(chunk)
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.buffer[at..<at + chunk.length])
            try unsafe stored.withUnsafeBytes { try unsafe unpack(chunk, $0, room, scratch.compressor) }
            return try unsafe body(chunk, UnsafeRawBufferPointer(room))
        }
        var bytes = [UInt8](repeating: 0, count: chunk.length)
        try unsafe stored.withUnsafeBytes { stored in
            try unsafe bytes.withUnsafeMutableBytes { try unsafe unpack(chunk, stored, $0, scratch.compressor) }
        }
        try unsafe bytes.withUnsafeBytes { try unsafe body(chunk, $0) }
    }

    private func unpack(
        _ chunk: PointReader.Wanted, _ stored: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ compressor: Compressor
    ) throws {
        do throws(Malformed) {
            try unsafe compressor.unpack(stored, chunk.location.codec, into: room)
            guard unsafe ContentHash(of: UnsafeRawBufferPointer(room)) == chunk.hash else { throw Malformed("its checksum is wrong") }
        } catch {
            let file = chunk.path.isEmpty ? "the volume" : String(decoding: chunk.path, as: UTF8.self)
            throw DamagedCopy(
                object: names.pack(chunk.location.pack), what: "chunk \(chunk.index) of \(file): \(error.what)")
        }
    }
}
