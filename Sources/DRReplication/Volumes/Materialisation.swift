internal import DRModel
internal import DRSupport

/// Builds a volume from a point beside the live one, complete and durable, checking every byte on the way.
///
/// Folders and links are made in order, files by the workers: small ones some at a time, large ones in pieces. What describes a folder comes last of all, as
/// everything made in it changes its time.
final class Materialisation {
    private let maker: FileMaker
    private let workers: Workers
    private let reader: PointReader
    private var tickets = Queue<Step>()
    private var under = 0
    private var large: (node: TreeNode, file: any StoreFile)?
    private var largeLoad = ChunkLoad()
    private var small: TreeNode?
    private var files: [SmallFile] = []
    private var bytes = 0
    private var folders: [TreeNode] = []
    private var links: [(node: TreeNode, first: [UInt8])] = []

    private enum Step {
        case work(Ticket<Void>)
        case end(TreeNode, any StoreFile)
    }

    private init(_ root: StorePath, _ reader: PointReader, io: any StoreIO) {
        self.reader = reader
        workers = reader.workers
        maker = FileMaker(root: root, io: io, loader: ChunkLoader(reader.copy.packs, reader.copy.names), scratches: reader.scratches)
    }

    /// Makes `root`, which must not exist. Nothing is durable before the filesystem was synced.
    static func build(_ volume: PointRecord.Volume, at root: StorePath, from reader: PointReader, io: any StoreIO) throws {
        let work = Materialisation(root, reader, io: io)
        do {
            try reader.walk(volume, node: work.add, chunks: work.add)
            try work.finish()
        } catch {
            // Nobody may write there any more when the caller clears it away.
            work.abandon()
            throw error
        }
    }

    private func add(_ node: TreeNode) throws {
        try endFile()
        let place = maker.place(node.path)
        switch node.content {
        case .folder:
            try maker.io.makeFolder(place, permissions: 0o700)
            folders.append(node)
        case .file(let size, let chunkSize, _):
            failpoint("materialise.file")
            if size <= Int64(chunkSize), size <= Int64(Scratch.size) {
                small = node
            } else {
                try flush()
                large = (node, try maker.create(node))
            }
        case .symlink(let target):
            try maker.io.makeSymlink(place, to: target)
            try maker.describe(node)
        case .link(let first): links.append((node, first))
        }
    }

    private func add(_ node: TreeNode, _ chunks: [PointReader.Wanted]) throws {
        if large != nil {
            for chunk in chunks { if let full = largeLoad.add(chunk) { try write(full) } }
        } else if small?.path == node.path {
            try add(SmallFile(node: node, chunk: chunks.first))
            small = nil
        }
    }

    private func write(_ chunks: [PointReader.Wanted]) throws {
        guard let (node, file) = large else { return }
        try submit { [maker] in try maker.write(node, file, chunks) }
    }

    private func add(_ file: SmallFile) throws {
        files.append(file)
        bytes += file.chunk?.length ?? 0
        if files.count >= 128 || bytes >= Scratch.size { try flush() }
    }

    private func flush() throws {
        guard !files.isEmpty else { return }
        let some = files
        (files, bytes) = ([], 0)
        try submit { [maker] in try maker.make(some) }
    }

    private func endFile() throws {
        if let node = small {
            small = nil
            try add(SmallFile(node: node, chunk: nil))
        }
        guard let (node, file) = large else { return }
        if let rest = largeLoad.take() { try write(rest) }
        large = nil
        tickets.append(.end(node, file))
        try settle(most: workers.width * 4)
    }

    private func submit(_ body: @escaping @Sendable () throws -> Void) throws {
        tickets.append(.work(workers.submit(body)))
        under += 1
        try settle(most: workers.width * 4)
    }

    private func settle(most: Int) throws {
        while let step = tickets.first {
            switch step {
            case .work(let ticket):
                if under <= most, !ticket.isDone { return }
                tickets.removeFirst()
                under -= 1
                try ticket.wait()
            case .end(let node, let file):
                tickets.removeFirst()
                try file.close()
                try maker.describe(node)
            }
        }
    }

    private func finish() throws {
        try endFile()
        try flush()
        try settle(most: 0)
        for (node, first) in links { try maker.io.makeHardLink(maker.place(node.path), to: maker.place(first)) }
        for folder in folders.reversed() { try maker.describe(folder) }
    }

    private func abandon() {
        while let step = tickets.first {
            tickets.removeFirst()
            if case .work(let ticket) = step { _ = try? ticket.wait() }
        }
    }
}

/// A file of one chunk at most.
struct SmallFile: Sendable {
    let node: TreeNode
    let chunk: PointReader.Wanted?
}

/// Makes files with their bytes and everything that describes them.
struct FileMaker: Sendable {
    let root: StorePath
    let io: any StoreIO
    let loader: ChunkLoader
    let scratches: Scratches

    func place(_ path: [UInt8]) -> StorePath { path.isEmpty ? root : root / path }

    func create(_ node: TreeNode) throws -> any StoreFile {
        let file = try io.open(place(node.path), .create, permissions: 0o600)
        if case .file(let size, _, _) = node.content, size > 0 { try file.truncate(to: size) }
        return file
    }

    func make(_ files: [SmallFile]) throws {
        try scratches.use { scratch in
            var next = 0
            func make(until chunk: PointReader.Wanted?, _ bytes: UnsafeRawBufferPointer?) throws {
                while next < files.count {
                    let file = files[next]
                    if file.chunk != nil, file.chunk?.path != chunk?.path { return }
                    next += 1
                    let open = try create(file.node)
                    if file.chunk != nil, let bytes = unsafe bytes { try unsafe writeData(bytes, to: open, at: 0) }
                    try open.close()
                    try describe(file.node)
                }
            }
            try unsafe loader.load(files.compactMap(\.chunk), scratch) { chunk, bytes in try unsafe make(until: chunk, bytes) }
            try make(until: nil, nil)
        }
    }

    /// Chunks side by side are written at once.
    func write(_ node: TreeNode, _ file: any StoreFile, _ chunks: [PointReader.Wanted]) throws {
        guard case .file(_, let chunkSize, _) = node.content else { return }
        guard chunkSize <= Scratch.size else {
            return try scratches.use { scratch in
                try unsafe loader.load(chunks, scratch) { chunk, bytes in
                    try unsafe writeData(bytes, to: file, at: chunk.index * Int64(chunkSize))
                }
            }
        }
        try scratches.use { scratch in
            var start = 0
            while start < chunks.count {
                let first = chunks[start].index
                var end = start + 1
                while end < chunks.count, chunks[end].index == first + Int64(end - start) { end += 1 }
                try unsafe loader.load(Array(chunks[start..<end]), scratch, place: { Int($0.index - first) * Int(chunkSize) }) { _, _ in }
                let length = (end - start - 1) * Int(chunkSize) + chunks[end - 1].length
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: scratch.buffer[..<length])
                try unsafe writeData(bytes, to: file, at: first * Int64(chunkSize))
                start = end
            }
        }
    }

    /// What is zero stays a hole, to the block.
    private func writeData(_ bytes: UnsafeRawBufferPointer, to file: any StoreFile, at start: Int64) throws {
        let block = 4096
        func zero(_ from: Int) -> Bool {
            unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[from..<min(from + block, bytes.count)]))
        }
        var position = 0
        while position < bytes.count {
            while position < bytes.count, zero(position) { position += block }
            var end = position
            while end < bytes.count, !zero(end) { end += block }
            let until = min(end, bytes.count)
            if position < until {
                try unsafe file.writeThrough(at: start + Int64(position), UnsafeRawBufferPointer(rebasing: bytes[position..<until]))
            }
            position = end
        }
    }

    // A change of owner takes set-user-id bits and capabilities away, and a mode may forbid attributes: hence this order.
    func describe(_ node: TreeNode) throws {
        let place = place(node.path)
        if let made = try io.facts(place), made.owner != node.owner || made.group != node.group {
            try io.setOwner(place, owner: node.owner, group: node.group)
        }
        for attribute in node.attributes { try io.setExtendedAttribute(place, name: attribute.name, value: attribute.value) }
        if case .symlink = node.content {} else { try io.setPermissions(place, node.mode) }
        try io.setModified(place, node.modified)
    }
}
