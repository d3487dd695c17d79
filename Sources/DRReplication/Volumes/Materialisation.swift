internal import DRModel
internal import DRSupport

/// Builds a volume from a point beside the live one, complete and durable, checking every byte on the way.
final class Materialisation {
    private let root: StorePath
    private let io: any StoreIO
    private var file: (node: TreeNode, open: any StoreFile)?
    private var folders: [TreeNode] = []

    private init(_ root: StorePath, io: any StoreIO) {
        self.root = root
        self.io = io
    }

    /// Makes `root`, which must not exist. Nothing is durable before the filesystem was synced.
    static func build(_ volume: PointRecord.Volume, at root: StorePath, from reader: PointReader, io: any StoreIO) throws {
        let work = Materialisation(root, io: io)
        try reader.read(volume, node: work.add, chunk: work.write)
        try work.endFile()
        try work.leaveFolders(above: nil)
    }

    private func place(_ path: [UInt8]) -> StorePath { path.isEmpty ? root : root / path }

    private func add(_ node: TreeNode) throws {
        try endFile()
        try leaveFolders(above: node.path)
        let place = place(node.path)
        switch node.content {
        case .folder:
            try io.makeFolder(place, permissions: 0o700)
            folders.append(node)
        case .file(let size, _, _):
            failpoint("materialise.file")
            let open = try io.open(place, .create, permissions: 0o600)
            if size > 0 { try open.truncate(to: size) }
            file = (node, open)
        case .symlink(let target):
            try io.makeSymlink(place, to: target)
            try describe(node)
        case .link(let first): try io.makeHardLink(place, to: self.place(first))
        }
    }

    private func write(_ node: TreeNode, _ index: Int64, _ bytes: [UInt8]) throws {
        guard let file, case .file(_, let chunkSize, _) = node.content else { return }
        let start = index * Int64(chunkSize)
        // What is zero stays a hole, to the block.
        let block = 4096
        var position = 0
        while position < bytes.count {
            var end = position
            try unsafe bytes.withUnsafeBytes { all in
                func zero(_ from: Int) -> Bool {
                    unsafe isZero(UnsafeRawBufferPointer(rebasing: all[from..<min(from + block, all.count)]))
                }
                while position < all.count, zero(position) { position += block }
                end = position
                while end < all.count, !zero(end) { end += block }
                let until = min(end, all.count)
                guard position < until else { return }
                try unsafe file.open.write(at: start + Int64(position), UnsafeRawBufferPointer(rebasing: all[position..<until]))
            }
            position = end
        }
    }

    private func endFile() throws {
        guard let (node, open) = file else { return }
        file = nil
        try open.close()
        try describe(node)
    }

    /// A folder's own times come after everything in it.
    private func leaveFolders(above path: [UInt8]?) throws {
        while let folder = folders.last {
            if let path, folder.path.isEmpty || path.starts(with: folder.path + [UInt8(ascii: "/")]) { return }
            folders.removeLast()
            try describe(folder)
        }
    }

    // A change of owner takes set-user-id bits and capabilities away, and a mode may forbid attributes: hence this order.
    private func describe(_ node: TreeNode) throws {
        let place = place(node.path)
        if let made = try io.facts(place), made.owner != node.owner || made.group != node.group {
            try io.setOwner(place, owner: node.owner, group: node.group)
        }
        for attribute in node.attributes { try io.setExtendedAttribute(place, name: attribute.name, value: attribute.value) }
        if case .symlink = node.content {} else { try io.setPermissions(place, node.mode) }
        try io.setModified(place, node.modified)
    }
}
