internal import DRModel
internal import DRSupport

/// A second volume that shares its blocks with a head, where the filesystem can (FICLONE).
enum HeadClone {
    /// False, and nothing is left at `place`, when it cannot. Durable except for its name.
    static func make(_ head: Head, at place: StorePath, io: any StoreIO, workers: Workers) throws -> Bool {
        do {
            guard try clone(head, to: place, io, workers) else {
                try io.removeTree(place)
                return false
            }
            return true
        } catch let error as IOFailure {
            try? io.removeTree(place)
            throw error
        }
    }

    private static func clone(_ head: Head, to place: StorePath, _ io: any StoreIO, _ workers: Workers) throws -> Bool {
        var tree = DiskTree(head.name, at: head.content, io: io, workers: workers)
        var folders: [TreeNode] = []
        func at(_ root: StorePath, _ path: [UInt8]) -> StorePath { path.isEmpty ? root : root / path }
        while let node = try tree.next() {
            let target = at(place, node.path)
            switch node.content {
            case .folder:
                try io.makeFolder(target, permissions: 0o700)
                folders.append(node)
            case .file:
                let source = try io.open(at(head.content, node.path), .read, permissions: 0)
                defer { try? source.close() }
                let file = try io.open(target, .create, permissions: 0o600)
                defer { try? file.close() }
                // An empty file is cloned by being made.
                if case .file(let size, _, _) = node.content, size > 0, try !file.clone(from: source) { return false }
                try FileMaker.describe(node, at: target, io)
                // Alone it is durable sooner than with everything else that the filesystem holds back.
                if node.path.isEmpty { try file.sync() }
            case .symlink(let link, _):
                try io.makeSymlink(target, to: link)
                try FileMaker.describe(node, at: target, io)
            case .link(let first): try io.makeHardLink(target, to: at(place, first))
            }
        }
        for folder in folders.reversed() { try FileMaker.describe(folder, at: at(place, folder.path), io) }
        if !folders.isEmpty { try io.syncFilesystem(place) }
        return true
    }
}
