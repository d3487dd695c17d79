internal import DRModel
internal import DRSupport

/// Describes one volume in a catalogue and copies the files whose bytes the cache does not know.
struct CaptureScan {
    let volume: VolumeName
    let live: StorePath
    let kind: VolumeKind
    let place: StorePath
    let began: Instant
    let copies: Bool
    let io: any StoreIO
    let workers: Workers
    let cache: ScanCache?
    /// The clone that the cache describes, where there is one.
    let base: StorePath?

    private(set) var files = 0
    /// Every copy shares its blocks with the live file.
    private(set) var allCloned = true
    private var copied: UInt32 = 0
    private var cloneFails = false
    /// The first name of each file that has several. Grows with the number of such files, not of all.
    private var firstNames: [FileNumber: [UInt8]] = [:]

    init(
        volume: VolumeName, live: StorePath, kind: VolumeKind, place: StorePath, began: Instant, copies: Bool, io: any StoreIO,
        workers: Workers, cache: ScanCache?, base: StorePath?
    ) {
        self.volume = volume
        self.live = live
        self.kind = kind
        self.place = place
        self.began = began
        self.copies = copies
        self.io = io
        self.workers = workers
        self.cache = cache
        self.base = base
    }

    /// Throws `Malformed` when the cache turns out damaged.
    mutating func run(_ digest: inout SetDigest) throws {
        let file = try io.open(place / "catalogue", .create, permissions: 0o600)
        let catalogue = FrameWriter(file)
        try catalogue.write(CatalogueReader.header(kind, began: began, mount: io.mountIdentity(live) ?? ""))
        var walk = TreeWalk(volume, at: live, io: io, workers: workers, describes: cache == nil)
        var known = try KnownPages(cache)
        var sawChange = false
        while let entry = try walk.next() {
            if copies { digest.add(entry) }
            if entry.facts.kind == .file { files += 1 }
            try known.take(entry) { found in try write(found, walk, catalogue, &sawChange) }
        }
        try known.finish { found in try write(found, walk, catalogue, &sawChange) }
        if walk.sawChange || sawChange { digest.sawChange = true }
        try catalogue.finish()
        try file.close()
    }

    private mutating func write(
        _ found: KnownPages.Found, _ walk: TreeWalk, _ catalogue: FrameWriter, _ sawChange: inout Bool
    ) throws {
        switch found {
        case .same(let page): try catalogue.write(CatalogueFrame.same(page: page).bytes())
        case .head(let page): try catalogue.write(CatalogueFrame.head(page: page).bytes())
        case .kept(let page, let entries): try catalogue.write(CatalogueFrame.kept(page: page, entries: entries).bytes())
        case .entry(let entry, let known):
            do {
                try catalogue.write(CatalogueFrame.entry(try describe(entry, known, at: walk.place(entry.path))).bytes())
            } catch let error as IOFailure where error.isMissing {
                sawChange = true
            }
        }
    }

    private mutating func describe(_ entry: TreeWalk.Entry, _ known: FileIdentity?, at path: StorePath) throws -> CatalogueEntry {
        let facts = entry.facts
        let identity = FileIdentity(facts)
        var copy: UInt32?
        var changed: [Range<Int64>]?
        let content: TreeNode.Content
        let isShared = facts.links > 1 && facts.kind != .folder
        if isShared {
            let number = FileNumber(facts)
            if let first = firstNames[number] {
                let node = try io.node(entry, .link(first: first), at: path)
                return CatalogueEntry(node: node, identity: identity, copy: nil, isClone: false, changed: nil)
            }
            firstNames[number] = entry.path
        }
        switch facts.kind {
        case .folder: content = .folder
        case .symlink: content = .symlink(target: try io.symlinkTarget(path), shared: isShared)
        default:
            var size = facts.size
            if copies, facts.size > 0, cache?.trusts(known, identity) != true {
                (size, changed) = try self.copy(path)
                copy = copied
                copied += 1
            }
            content = .file(size: size, chunkSize: chunkSize(size), shared: isShared)
        }
        return CatalogueEntry(
            node: try io.node(entry, content, at: path), identity: identity, copy: copy, isClone: copy != nil && !cloneFails,
            changed: changed)
    }

    /// Small files are one chunk; databases change in pages, so large ones have small chunks.
    private func chunkSize(_ size: Int64) -> UInt32 {
        if kind == .block { return 64 << 10 }
        return size <= 128 << 10 ? 128 << 10 : 16 << 10
    }

    /// The size of the copy, and where it may differ from the base.
    private mutating func copy(_ from: StorePath) throws -> (size: Int64, changed: [Range<Int64>]?) {
        let source = try io.open(from, .read, permissions: 0)
        defer { try? source.close() }
        let target = try io.open(place / String(copied), .create, permissions: 0o600)
        defer { try? target.close() }
        if !cloneFails, try target.clone(from: source) { return (try target.facts().size, try differing(target)) }
        cloneFails = true
        allCloned = false
        let facts = try source.facts()
        try target.truncate(to: facts.size)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: Int64 = 0
        while offset < facts.size {
            // A full look reads what the filesystem calls a hole, too.
            if cache != nil, facts.allocated < facts.size {
                guard let data = try source.nextData(from: offset) else { break }
                offset = data.lowerBound
            }
            let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe source.read(at: offset, into: $0) }
            if count == 0 { break }
            try unsafe buffer.withUnsafeBytes {
                try unsafe Self.writeBytes(of: UnsafeRawBufferPointer(rebasing: $0[..<count]), to: target, at: offset)
            }
            offset += Int64(count)
        }
        return (try target.facts().size, nil)
    }

    /// What is zero stays a hole, to the block: the copy of a thin file is as thin.
    private static func writeBytes(of read: UnsafeRawBufferPointer, to target: any StoreFile, at offset: Int64) throws {
        let block = 4096
        func isHole(_ from: Int) -> Bool { unsafe isZero(UnsafeRawBufferPointer(rebasing: read[from..<min(from + block, read.count)])) }
        var position = 0
        while position < read.count {
            guard !isHole(position) else {
                position += block
                continue
            }
            var end = position + block
            while end < read.count, !isHole(end) { end += block }
            end = min(end, read.count)
            try unsafe target.write(at: offset + Int64(position), UnsafeRawBufferPointer(rebasing: read[position..<end]))
            position = end
        }
    }

    /// Both are clones that nobody writes to: where they stand in the same blocks of the disk they are the same.
    private func differing(_ clone: any StoreFile) throws -> [Range<Int64>]? {
        guard kind == .block, let base, try io.facts(base)?.kind == .file else { return nil }
        let before = try io.open(base, .read, permissions: 0)
        defer { try? before.close() }
        guard try before.facts().size == clone.facts().size else { return nil }
        return try clone.differing(from: before)
    }
}
