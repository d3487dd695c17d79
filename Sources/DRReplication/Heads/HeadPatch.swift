internal import DRModel
internal import DRSupport

/// A file of a head that is opened for writing when something in it is about to change: most are only read, and many may only be read.
final class HeadWriter: Sendable {
    private let path: [UInt8]
    private let place: StorePath
    private let io: any StoreIO
    private let mark: HeadMark
    private let file: Monitor<(any StoreFile)?> = Monitor(nil)

    init(_ node: TreeNode, _ maker: FileMaker, _ mark: HeadMark) {
        path = node.path
        place = maker.place(node.path)
        io = maker.io
        self.mark = mark
    }

    func opened() throws -> any StoreFile {
        try mark.begin(path)
        return try file.change { file in
            if let file { return file }
            // Whoever writes describes it anew at the end.
            if let mode = try io.facts(place)?.mode, mode & 0o200 == 0 { try io.setPermissions(place, 0o600) }
            let new = try io.open(place, .update, permissions: 0)
            file = new
            return new
        }
    }

    /// False when nothing was written.
    func close() throws -> Bool {
        guard let file = file.change({ $0 }) else { return false }
        try file.close()
        return true
    }
}

/// Writes some chunks over a large file of a head. The file is opened for the first of them.
final class HeadPatch {
    private let node: TreeNode
    private let making: Materialisation
    private let writer: HeadWriter
    private var isWritten = false
    private var load = ChunkLoad()

    init(_ node: TreeNode, _ making: Materialisation, _ mark: HeadMark) {
        self.node = node
        self.making = making
        writer = HeadWriter(node, making.maker, mark)
    }

    private func opened() throws -> any StoreFile {
        isWritten = true
        return try writer.opened()
    }

    func resize(to size: Int64) throws { try opened().truncate(to: size) }

    func clear(_ range: Range<Int64>) throws { try opened().clear(range) }

    func write(_ chunk: PointReader.Wanted) throws { if let full = load.add(chunk) { try submit(full) } }

    private func submit(_ chunks: [PointReader.Wanted]) throws {
        let file = try opened()
        try making.submit { [maker = making.maker, node] in try maker.write(node, file, chunks, over: true) }
    }

    /// False when there was nothing to write: then the file was not touched.
    func finish() throws -> Bool {
        if let rest = load.take() { try submit(rest) }
        guard isWritten else { return false }
        try making.end { [maker = making.maker, node, writer] in if try writer.close() { try maker.describe(node) } }
        return true
    }
}

/// Reads a file of a head from its beginning to its end and mends what is not as it should be.
final class HeadReading {
    private let old: TreeNode
    private let node: TreeNode
    private let making: Materialisation
    private let mark: HeadMark
    private let file: any StoreFile
    private let size: Int64
    private let chunkSize: Int64
    private let writer: HeadWriter
    private var load = ChunkLoad()
    /// Up to here everything is on its way.
    private var position: Int64 = 0

    /// How much of what should be zero is read in one go.
    private static let gap: Int64 = 64 << 20

    init(_ old: TreeNode, _ node: TreeNode, _ making: Materialisation, _ mark: HeadMark) throws {
        self.old = old
        self.node = node
        self.making = making
        self.mark = mark
        if case .file(let size, let chunkSize, _) = node.content {
            (self.size, self.chunkSize) = (size, Int64(chunkSize))
        } else {
            (size, chunkSize) = (0, 1)
        }
        file = try making.maker.io.open(making.maker.place(node.path), .read, permissions: 0)
        writer = HeadWriter(node, making.maker, mark)
    }

    func resize(to size: Int64) throws { try writer.opened().truncate(to: size) }

    func add(_ chunks: [PointReader.Wanted]) throws {
        for chunk in chunks {
            try zero(until: chunk.index * chunkSize)
            position = min(size, (chunk.index + 1) * chunkSize)
            if let full = load.add(chunk) { try submit(full) }
        }
    }

    private func zero(until end: Int64) throws {
        while position < end {
            let range = position..<min(end, position + Self.gap)
            position = range.upperBound
            let check = HeadCheck(maker: making.maker, file: file, node: node, writer: writer)
            try making.submit { try check.zero(range) }
        }
    }

    private func submit(_ chunks: [PointReader.Wanted]) throws {
        let check = HeadCheck(maker: making.maker, file: file, node: node, writer: writer)
        try making.submit { try check.chunks(chunks) }
    }

    func finish() throws {
        try zero(until: size)
        if let rest = load.take() { try submit(rest) }
        try making.end { [maker = making.maker, mark, file, writer, old, node] in
            try file.close()
            guard try writer.close() || !old.isDescribed(as: node) else { return }
            try mark.begin(node.path)
            try maker.describe(node)
        }
    }
}

/// The work of one thread on a file that is read.
struct HeadCheck: Sendable {
    let maker: FileMaker
    let file: any StoreFile
    let node: TreeNode
    let writer: HeadWriter

    func chunks(_ chunks: [PointReader.Wanted]) throws {
        guard case .file(_, let chunkSize, _) = node.content else { return }
        let wrong = try maker.scratches.use { scratch in
            try chunks.filter { chunk in
                var hash: ContentHash?
                if chunk.length <= Scratch.size {
                    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.buffer[..<chunk.length])
                    hash = try unsafe self.hash(at: chunk.index * Int64(chunkSize), in: room)
                } else {
                    var bytes = [UInt8](repeating: 0, count: chunk.length)
                    hash = try unsafe bytes.withUnsafeMutableBytes { try unsafe self.hash(at: chunk.index * Int64(chunkSize), in: $0) }
                }
                return hash != chunk.hash
            }
        }
        guard !wrong.isEmpty else { return }
        try maker.write(node, writer.opened(), wrong, over: true)
    }

    /// Nil where the file ends before.
    private func hash(at offset: Int64, in room: UnsafeMutableRawBufferPointer) throws -> ContentHash? {
        guard try unsafe file.read(at: offset, into: room) == room.count else { return nil }
        return unsafe ContentHash(of: UnsafeRawBufferPointer(room))
    }

    func zero(_ range: Range<Int64>) throws {
        let isZeros = try maker.scratches.use { scratch in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = Int(min(Int64(Scratch.size), range.upperBound - offset))
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.buffer[..<count])
                guard try unsafe file.read(at: offset, into: room) == count, unsafe isZero(UnsafeRawBufferPointer(room)) else {
                    return false
                }
                offset += Int64(count)
            }
            return true
        }
        guard !isZeros else { return }
        try writer.opened().clear(range)
    }
}
