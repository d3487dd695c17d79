internal import DRModel
internal import DRSupport

/// Builds a volume from a point beside the live one, complete and durable, checking every byte on the way.
///
/// Folders and links are made in order, files by the workers: small ones some at a time, large ones in pieces. What describes a folder comes last of all, as
/// everything made in it changes its time.
final class Materialisation {
    let maker: FileMaker
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
        /// What closes a file when all work on it is done.
        case end(() throws -> Void)
    }

    init(_ root: StorePath, _ reader: PointReader, io: any StoreIO, readsBack: Bool = false) {
        self.reader = reader
        workers = reader.workers
        maker = FileMaker(
            root: root, io: io, loader: ChunkLoader(reader.copy.packs, reader.copy.names), scratches: reader.scratches,
            readsBack: readsBack)
    }

    /// Makes `root`, which must not exist. Nothing is durable before the filesystem was synced.
    static func build(
        _ volume: PointRecord.Volume, at root: StorePath, from reader: PointReader, io: any StoreIO
    ) throws {
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

    func add(_ node: TreeNode) throws {
        try endFile()
        let place = maker.place(node.path)
        switch node.content {
        case .folder:
            try maker.io.makeFolder(place, permissions: 0o700)
            if node.path.isEmpty { try maker.io.dropInheritedAccess(place) }
            folders.append(node)
        case .file(let size, let chunkSize, _):
            failpoint("materialise.file")
            if size <= Int64(chunkSize), size <= Int64(Scratch.size) {
                small = node
            } else {
                try flush()
                large = (node, try unsafe maker.create(node))
            }
        case .symlink(let target, _):
            try maker.io.makeSymlink(place, to: target)
            try maker.describe(node)
        case .link(let first): links.append((node, first))
        }
    }

    /// Those of the entry that was added last.
    func add(_ node: TreeNode, _ chunks: [PointReader.Wanted]) throws {
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

    /// A folder that stands there and is to be described anew.
    func redescribe(_ folder: TreeNode) { folders.append(folder) }

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
        try end { [maker] in try maker.close(file, as: node) }
    }

    /// Done when everything that was submitted before is.
    func end(_ body: @escaping () throws -> Void) throws {
        tickets.append(.end(body))
        try settle(most: workers.width * 4)
    }

    func submit(_ body: @escaping @Sendable () throws -> Void) throws {
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
            case .end(let body):
                tickets.removeFirst()
                try body()
            }
        }
    }

    func finish() throws {
        try endFile()
        try flush()
        try settle(most: 0)
        for (node, first) in links { try maker.io.makeHardLink(maker.place(node.path), to: maker.place(first)) }
        for folder in folders.reversed() { try maker.describe(folder) }
    }

    func abandon() {
        while let step = tickets.first {
            tickets.removeFirst()
            if case .work(let ticket) = step { _ = try? ticket.wait() }
        }
    }
}
