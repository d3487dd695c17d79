internal import DRModel

/// A chunk of a file as a scan found it.
struct ScannedChunk: Sendable {
    let index: Int64
    let hash: ContentHash
    let mark: ChunkMark
    let location: ChunkLocation
}

/// Cuts the map of a volume into pages.
///
/// Where a page ends depends only on what is in it (a path's hash, a full run of chunks, a size limit), so that a change in one place leaves all other pages
/// as they are.
struct MapBuilder {
    struct Finished: Sendable {
        let page: MapPage
        let identities: [FileIdentity?]
        let marks: [ChunkMark]
        /// It would end here whatever followed; else because of what followed.
        let endsItself: Bool
        let beginsAtBoundary: Bool
        /// Of its chunks.
        let size: Int64
        let packs: Set<PackID>

        func stored() -> StoredPage { StoredPage(content: page.content(), places: page.places()) }
    }

    private static let mostBytes = 256 << 10

    private var items: [MapPage.Item] = []
    private var locations: [ChunkLocation] = []
    private var identities: [FileIdentity?] = []
    private var marks: [ChunkMark] = []
    private var bytes = 0
    private var size: Int64 = 0
    private var file: (path: [UInt8], size: Int64, chunkSize: UInt32)?
    private var run: (first: Int64, hashes: [ContentHash])?
    /// A page that was used as it is: what comes next may be chunks of its last file.
    private var before: CachedPage?
    private var finished: [Finished] = []

    /// One path in 512 begins a page.
    static func isBoundary(_ path: [UInt8]) -> Bool { ContentHash(of: path).isOneIn(512) }

    /// Between two pages.
    var isEmpty: Bool { items.isEmpty && run == nil }

    mutating func add(_ node: TreeNode, isBoundary: Bool, identity: FileIdentity?) {
        endRun()
        if !items.isEmpty {
            if bytes >= Self.mostBytes {
                cut(endsItself: true)
            } else if isBoundary {
                cut(endsItself: false)
            }
        }
        items.append(.node(node))
        identities.append(identity)
        bytes += 64 + node.path.count + node.attributes.reduce(0) { $0 + 8 + $1.name.count + $1.value.count }
        file = nil
        before = nil
        if case .file(let size, let chunkSize, _) = node.content { file = (node.path, size, chunkSize) }
    }

    /// Chunks of the file that was added last, in rising order; missing numbers are zero. Throws when the page before it turns out damaged.
    mutating func add(_ chunk: ScannedChunk) throws(Malformed) {
        if let page = before {
            file = try page.prior().page.lastFile
            before = nil
        }
        guard let file else { return }
        if let last = run, last.first + Int64(last.hashes.count) != chunk.index { endRun() }
        if run == nil { run = (chunk.index, []) }
        run?.hashes.append(chunk.hash)
        locations.append(chunk.location)
        marks.append(chunk.mark)
        size += min(Int64(file.chunkSize), file.size - chunk.index * Int64(file.chunkSize))
        if (chunk.index + 1) % MapPage.runLength(file.size) == 0 { endRun() }
    }

    mutating func finish() {
        endRun()
        if !items.isEmpty { cut(endsItself: bytes >= Self.mostBytes) }
    }

    /// Pages that are complete and were not taken yet.
    mutating func take() -> [Finished] {
        if finished.isEmpty { return [] }
        defer { finished = [] }
        return finished
    }

    /// A page that was used as it is has come and gone: the next one may go on with its last file.
    mutating func passed(_ page: CachedPage) { before = page }

    private mutating func endRun() {
        guard let (first, hashes) = run, let file else { return }
        run = nil
        if items.isEmpty { items.append(.more(path: file.path, size: file.size, chunkSize: file.chunkSize)) }
        items.append(.run(first: first, hashes: hashes))
        bytes += 13 + hashes.count * ContentHash.size
        let isFull = (first + Int64(hashes.count)) % MapPage.runLength(file.size) == 0
        if isFull || bytes >= Self.mostBytes { cut(endsItself: true) }
    }

    private mutating func cut(endsItself: Bool) {
        let page = MapPage(items: items, locations: locations)
        var beginsAtBoundary = false
        if case .node(let first)? = items.first { beginsAtBoundary = Self.isBoundary(first.path) }
        finished.append(
            Finished(
                page: page, identities: identities, marks: marks, endsItself: endsItself, beginsAtBoundary: beginsAtBoundary, size: size,
                packs: Set(locations.map(\.pack))))
        items = []
        locations = []
        identities = []
        marks = []
        bytes = 0
        size = 0
    }
}
