internal import DRModel
internal import DRSupport

/// Which file it is, whatever its names.
struct FileNumber: Hashable {
    let device: UInt64
    let inode: UInt64

    init(_ facts: FileFacts) {
        device = facts.device
        inode = facts.inode
    }
}

/// A tree on the disk as a map would describe it, in the same order. Files have no chunk size; their bytes are not read.
struct DiskTree {
    private var walk: TreeWalk
    private let io: any StoreIO
    /// Files with several names, by their first.
    private var groups: [FileNumber: [UInt8]] = [:]

    init(_ volume: VolumeName, at root: StorePath, io: any StoreIO, workers: Workers) {
        walk = TreeWalk(volume, at: root, io: io, workers: workers)
        self.io = io
    }

    /// The next entry. Throws `volume-unsupported` for what cannot be copied.
    mutating func next() throws -> TreeNode? {
        guard let entry = try walk.next() else { return nil }
        let place = walk.place(entry.path)
        return try io.node(entry, try content(entry, at: place), at: place)
    }

    /// What stands below the folder that was found last is passed over.
    mutating func skip() { walk.skip() }

    private mutating func content(_ entry: TreeWalk.Entry, at place: StorePath) throws -> TreeNode.Content {
        let facts = entry.facts
        if facts.kind == .folder { return .folder }
        let isShared = facts.links > 1
        if isShared {
            let number = FileNumber(facts)
            if let first = groups[number] { return .link(first: first) }
            groups[number] = entry.path
        }
        return facts.kind == .symlink
            ? .symlink(target: try io.symlinkTarget(place), shared: isShared) : .file(size: facts.size, chunkSize: 0, shared: isShared)
    }
}

extension StoreIO {
    /// Those that go with the content.
    func attributes(_ place: StorePath) throws -> [TreeNode.Attribute] {
        // A label says what the policy of this machine is; the destination's own policy labels the copy.
        try extendedAttributes(place).filter { $0.name != Array("security.selinux".utf8) }
            .map { TreeNode.Attribute(name: $0.name, value: $0.value) }
    }

    /// What describes an entry. Other names of a file say nothing of it.
    func node(_ entry: TreeWalk.Entry, _ content: TreeNode.Content, at place: StorePath) throws -> TreeNode {
        var attributes: [TreeNode.Attribute] = []
        if case .link = content {} else { attributes = try entry.attributes ?? self.attributes(place) }
        return TreeNode(
            path: entry.path, content: content, mode: entry.facts.mode, owner: entry.facts.owner, group: entry.facts.group,
            modified: entry.facts.modified, attributes: attributes)
    }
}

extension TreeNode {
    static func isBelow(_ path: [UInt8], _ folder: [UInt8]) -> Bool {
        path.count > folder.count && path.starts(with: folder) && (folder.isEmpty || path[folder.count] == UInt8(ascii: "/"))
    }

    /// Owner, mode, times and attributes are the same.
    func isDescribed(as other: TreeNode) -> Bool {
        if case .symlink = content {} else { guard mode == other.mode else { return false } }
        return owner == other.owner && group == other.group && modified == other.modified && attributes == other.attributes
    }

    /// Describing it as `other` leaves no attribute that `other` does not have.
    func canBecome(_ other: TreeNode) -> Bool {
        attributes.allSatisfy { mine in other.attributes.contains { $0.name == mine.name } }
    }
}
