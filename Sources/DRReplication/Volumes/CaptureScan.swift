internal import DRModel

/// Describes one volume in a catalogue and copies the files whose bytes the cache does not know.
struct CaptureScan {
    let volume: VolumeName
    let live: StorePath
    let kind: VolumeKind
    let place: StorePath
    let began: Instant
    let copies: Bool
    let io: any StoreIO
    let cache: ScanCache?

    private(set) var files = 0
    /// Every copy shares its blocks with the live file.
    private(set) var allCloned = true
    private var copied: UInt32 = 0
    private var cloneFails = false
    /// The first name of each file that has several. Grows with the number of such files, not of all.
    private var firstNames: [FileNumber: [UInt8]] = [:]

    private struct FileNumber: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    init(
        volume: VolumeName, live: StorePath, kind: VolumeKind, place: StorePath, began: Instant, copies: Bool, io: any StoreIO,
        cache: ScanCache?
    ) {
        self.volume = volume
        self.live = live
        self.kind = kind
        self.place = place
        self.began = began
        self.copies = copies
        self.io = io
        self.cache = cache
    }

    mutating func run(_ digest: inout SetDigest) async throws {
        let file = try io.open(place / "catalogue", .create, permissions: 0o600)
        let catalogue = FrameWriter(file)
        try catalogue.write(CatalogueReader.header(kind, began: began))
        let prior = try cache?.index() ?? .none()
        var walk = TreeWalk(volume, at: live, io: io)
        while let entry = try walk.next() {
            digest.add(entry)
            do {
                try catalogue.write(try await describe(entry, prior).frame())
            } catch let error as IOFailure where error.isMissing {
                digest.sawChange = true
            }
        }
        if walk.sawChange { digest.sawChange = true }
        try catalogue.finish()
        try file.close()
    }

    private mutating func describe(_ entry: TreeWalk.Entry, _ prior: PriorIndex) async throws -> CatalogueEntry {
        let facts = entry.facts
        var content: TreeNode.Content
        var identity: FileIdentity?
        var copy: UInt32?
        switch facts.kind {
        case .folder: content = .folder
        case .symlink: content = .symlink(target: try io.symlinkTarget(entry.place))
        default:
            if facts.links > 1 {
                let number = FileNumber(device: facts.device, inode: facts.inode)
                if let first = firstNames[number] {
                    return CatalogueEntry(node: try node(entry, .link(first: first)), identity: nil, copy: nil)
                }
                firstNames[number] = entry.path
            }
            files += 1
            let found = FileIdentity(facts)
            var size = facts.size
            let known = try await prior.file(at: entry.path)
            if copies, facts.size > 0, cache?.trusts(known?.identity, found) != true {
                size = try self.copy(entry.place)
                copy = copied
                copied += 1
            }
            identity = found
            content = .file(size: size, chunkSize: chunkSize(size), shared: facts.links > 1)
        }
        return CatalogueEntry(node: try node(entry, content), identity: identity, copy: copy)
    }

    private func node(_ entry: TreeWalk.Entry, _ content: TreeNode.Content) throws -> TreeNode {
        var attributes: [TreeNode.Attribute] = []
        if case .link = content {
        } else {
            // A label says what the policy of this machine is; the destination's own policy labels the copy.
            attributes = try io.extendedAttributes(entry.place).filter { $0.name != Array("security.selinux".utf8) }
                .map { TreeNode.Attribute(name: $0.name, value: $0.value) }
        }
        return TreeNode(
            path: entry.path, content: content, mode: entry.facts.mode, owner: entry.facts.owner, group: entry.facts.group,
            modified: entry.facts.modified, attributes: attributes)
    }

    /// Small files are one chunk; databases change in pages, so large ones have small chunks.
    private func chunkSize(_ size: Int64) -> UInt32 {
        if kind == .block { return 64 << 10 }
        return size <= 128 << 10 ? 128 << 10 : 16 << 10
    }

    /// The size of the copy.
    private mutating func copy(_ from: StorePath) throws -> Int64 {
        let source = try io.open(from, .read, permissions: 0)
        defer { try? source.close() }
        let target = try io.open(place / String(copied), .create, permissions: 0o600)
        defer { try? target.close() }
        if !cloneFails, try target.clone(from: source) { return try target.facts().size }
        cloneFails = true
        allCloned = false
        let facts = try source.facts()
        try target.truncate(to: facts.size)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: Int64 = 0
        while offset < facts.size {
            if facts.allocated < facts.size {
                guard let data = try source.nextData(from: offset) else { break }
                offset = data.lowerBound
            }
            let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe source.read(at: offset, into: $0) }
            if count == 0 { break }
            try unsafe buffer.withUnsafeBytes { try unsafe target.write(at: offset, UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += Int64(count)
        }
        return try target.facts().size
    }
}
