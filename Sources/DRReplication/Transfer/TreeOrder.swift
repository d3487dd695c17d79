internal import DRModel

/// Keeps a map honest: entries in order, below folders that came before, links only to files that came before, chunks inside their file.
struct TreeOrder {
    private let kind: VolumeKind
    private var last: TreeNode?
    private var folders: [[UInt8]] = []
    private var shared: Set<[UInt8]> = []
    private var chunk: Int64 = -1

    init(_ kind: VolumeKind) { self.kind = kind }

    var isComplete: Bool { last != nil }

    mutating func accept(_ node: TreeNode) throws(Malformed) {
        if let last {
            guard kind == .filesystem, TreeNode.isBefore(last.path, node.path) else { throw Malformed("its entries are out of order") }
            let parent = node.path.lastIndex(of: UInt8(ascii: "/")).map { Array(node.path[..<$0]) } ?? []
            while let folder = folders.last, folder != parent { folders.removeLast() }
            guard !folders.isEmpty else { throw Malformed("an entry stands below what is no folder") }
        } else {
            guard node.path.isEmpty, (node.content == .folder) == (kind == .filesystem) else {
                throw Malformed("it does not begin with the volume")
            }
        }
        switch node.content {
        case .folder: folders.append(node.path)
        case .file: break
        case .symlink: guard kind == .filesystem else { throw Malformed("an image cannot be a link") }
        case .link(let first): guard shared.contains(first) else { throw Malformed("a hard link leads to no file of the volume") }
        }
        if node.isShared { shared.insert(node.path) }
        last = node
        chunk = -1
    }

    func continues(_ path: [UInt8]) throws(Malformed) {
        guard let last, last.path == path, case .file = last.content else { throw Malformed("its chunks belong to no file") }
    }

    /// The file and the length of its chunk `index`.
    mutating func acceptChunk(_ index: Int64) throws(Malformed) -> (file: TreeNode, length: Int) {
        guard let last, case .file(let size, let chunkSize, _) = last.content, index > chunk,
            index < (size + Int64(chunkSize) - 1) / Int64(chunkSize)
        else { throw Malformed("its chunks belong to no file") }
        chunk = index
        return (last, Int(min(Int64(chunkSize), size - index * Int64(chunkSize))))
    }
}
