internal import DRModel
internal import DRSupport

/// Something in a head can only be made anew.
struct CannotRoll: Error {}

/// Makes a head equal to a volume of a point and writes only what differs.
///
/// What stands there is either believed, and then the maps are compared, or read and compared chunk by chunk. Both go through two descriptions of a tree
/// in the same order: what only the old one names is removed, what only the new one names is made, and the rest is changed where it differs.
final class HeadRoll {
    private let was: Was
    private let becomes: MapCursor
    private let making: Materialisation
    private let mark: HeadMark
    private let io: any StoreIO
    /// A folder that was removed: nothing below it is looked at any more.
    private var gone: [UInt8]?
    /// Files with other names that were made anew: those must lead to the new one.
    private var remade: Set<[UInt8]> = []
    private var folders: [(node: TreeNode, isTouched: Bool)] = []

    private enum Was {
        case believed(MapCursor)
        case read(DiskCursor)
    }

    private final class DiskCursor {
        var tree: DiskTree
        init(_ tree: DiskTree) { self.tree = tree }
    }

    private init(_ head: Head, _ volume: PointRecord.Volume, believing old: PointRecord.Volume?, _ reader: PointReader, _ mark: HeadMark)
        throws
    {
        io = head.io
        self.mark = mark
        was =
            if let old {
                .believed(try MapCursor(old, reader))
            } else {
                .read(DiskCursor(DiskTree(head.name, at: head.content, io: head.io, workers: reader.workers)))
            }
        becomes = try MapCursor(volume, reader)
        making = Materialisation(head.content, reader, io: head.io, readsBack: true)
    }

    /// Nothing is durable before the filesystem was synced. Throws `CannotRoll`, and then nobody knows what the head holds.
    static func roll(
        _ head: Head, to volume: PointRecord.Volume, believing old: PointRecord.Volume?, from reader: PointReader, _ mark: HeadMark
    ) throws {
        let work = try HeadRoll(head, volume, believing: old, reader, mark)
        do { try work.run() } catch {
            work.making.abandon()
            throw error
        }
    }

    private func run() throws {
        var old = try next()
        var new = try becomes.node()
        while old != nil || new != nil {
            if let before = old, new.map({ TreeNode.isBefore(before.path, $0.path) }) ?? true {
                try remove(before)
                old = try next()
            } else if let node = new, old.map({ TreeNode.isBefore(node.path, $0.path) }) ?? true {
                try make(node)
                new = try becomes.node()
            } else if let before = old, let node = new {
                try change(before, to: node)
                old = try next()
                new = try becomes.node()
            }
        }
        leave(for: nil)
        try making.finish()
    }

    private func next() throws -> TreeNode? {
        switch was {
        case .read(let disk): return try disk.tree.next()
        case .believed(let map):
            while let node = try map.node() { if gone.map({ !TreeNode.isBelow(node.path, $0) }) ?? true { return node } }
            return nil
        }
    }

    // MARK: Folders on the way

    /// Goes up to the folder of `path`.
    private func leave(for path: [UInt8]?) {
        while let (folder, isTouched) = folders.last, path.map({ !TreeNode.isBelow($0, folder.path) }) ?? true {
            if isTouched { making.redescribe(folder) }
            folders.removeLast()
        }
    }

    /// Something comes or goes at `path`: its folder's time changes with it.
    private func touch(_ path: [UInt8]) throws {
        try mark.begin(path)
        leave(for: path)
        guard let folder = folders.last?.node else { return }
        try mark.begin(folder.path)
        folders[folders.count - 1].isTouched = true
    }

    // MARK: Entries

    private func remove(_ node: TreeNode) throws {
        try touch(node.path)
        try io.removeTree(making.maker.place(node.path))
        guard case .folder = node.content else { return }
        gone = node.path
        // A link may be made in its place, and leads elsewhere.
        if case .read(let disk) = was { disk.tree.skip() }
    }

    /// `first`: chunks of it that were taken from the map already.
    private func make(_ node: TreeNode, _ first: [PointReader.Wanted]? = nil) throws {
        try touch(node.path)
        // What is made in such a folder gets an access list that the point does not have.
        if folders.last?.node.attributes.contains(where: { $0.name == Array("system.posix_acl_default".utf8) }) == true {
            throw CannotRoll()
        }
        if case .link(let first) = node.content { try mark.begin(first) }
        if case .folder = node.content { folders.append((node, false)) }
        try making.add(node)
        if let first { try making.add(node, first) }
        while let chunks = try becomes.chunks() { try making.add(node, chunks) }
    }

    private func replace(_ old: TreeNode, with node: TreeNode, _ first: [PointReader.Wanted]? = nil) throws {
        try remove(old)
        if node.isShared { remade.insert(node.path) }
        try make(node, first)
    }

    private func change(_ old: TreeNode, to node: TreeNode) throws {
        switch (old.content, node.content) {
        case (.folder, .folder):
            guard old.canBecome(node) else { throw CannotRoll() }
            leave(for: node.path)
            let isSame = old.isDescribed(as: node)
            if !isSame { try mark.begin(node.path) }
            folders.append((node, !isSame))
        case (.link(let before), .link(let first)) where before == first && !remade.contains(first): break
        case (.symlink(let before, _), .symlink(let target, _)) where before == target && old.isDescribed(as: node): break
        case (.file, .file) where old.canBecome(node):
            switch was {
            case .believed(let map): try compare(old, node, map)
            case .read: try read(old, node)
            }
        default: try replace(old, with: node)
        }
    }

    private func describe(_ old: TreeNode, as node: TreeNode) throws {
        guard !old.isDescribed(as: node) else { return }
        try mark.begin(node.path)
        try making.maker.describe(node)
    }

    // MARK: Files that are believed

    private func compare(_ old: TreeNode, _ node: TreeNode, _ map: MapCursor) throws {
        guard case .file(let oldSize, let oldChunk, _) = old.content, case .file(let size, let chunkSize, _) = node.content else { return }
        if oldChunk == chunkSize, size > Int64(chunkSize), oldSize > Int64(chunkSize) { return try patch(old, node, map) }
        let before = try map.chunks()
        let after = try becomes.chunks()
        if oldSize == size, oldChunk == chunkSize, before?.map(\.hash) == after?.map(\.hash) { return try describe(old, as: node) }
        try replace(old, with: node, after)
    }

    private func patch(_ old: TreeNode, _ node: TreeNode, _ map: MapCursor) throws {
        guard case .file(let oldSize, _, _) = old.content, case .file(let size, let chunkSize, _) = node.content else { return }
        let patch = HeadPatch(node, making, mark)
        if oldSize != size { try patch.resize(to: size) }
        var before = ChunkStream(map.chunks)
        var after = ChunkStream(becomes.chunks)
        while let b = try after.peek() {
            // Those that are zero now.
            while let a = try before.peek(), a.index < b.index {
                try patch.clear(a.index * Int64(chunkSize)..<(a.index + 1) * Int64(chunkSize))
                before.advance()
            }
            if let a = try before.peek(), a.index == b.index {
                if a.hash != b.hash || a.length != b.length { try patch.write(b) }
                before.advance()
            } else {
                try patch.write(b)
            }
            after.advance()
        }
        while let a = try before.peek() {
            let start = a.index * Int64(chunkSize)
            // What lies behind the end is gone already.
            if start < size { try patch.clear(start..<min(size, start + Int64(chunkSize))) }
            before.advance()
        }
        if try !patch.finish() { try describe(old, as: node) }
    }

    // MARK: Files that are read

    private func read(_ old: TreeNode, _ node: TreeNode) throws {
        guard case .file(let oldSize, _, _) = old.content, case .file(let size, _, _) = node.content else { return }
        let reading = try HeadReading(old, node, making, mark)
        if oldSize != size { try reading.resize(to: size) }
        while let chunks = try becomes.chunks() { try reading.add(chunks) }
        try reading.finish()
    }
}

/// Chunks of one file, one after the other.
private struct ChunkStream {
    private let more: () throws -> [PointReader.Wanted]?
    private var run: [PointReader.Wanted] = []
    private var place = 0
    private var isOver = false

    init(_ more: @escaping () throws -> [PointReader.Wanted]?) { self.more = more }

    mutating func peek() throws -> PointReader.Wanted? {
        while place == run.count, !isOver {
            if let next = try more() { (run, place) = (next, 0) } else { isOver = true }
        }
        return place < run.count ? run[place] : nil
    }

    mutating func advance() { place += 1 }
}
