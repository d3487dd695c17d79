internal import DRModel

/// Cuts the map of a volume into pages.
///
/// Where a page ends depends only on what is in it (a path's hash, a full run of chunks, a size limit), so that a change in one place leaves all other pages
/// as they are.
struct MapBuilder {
    struct Finished {
        let page: StoredPage
        let identities: [FileIdentity?]
    }

    private static let mostBytes = 256 << 10

    private var items: [MapPage.Item] = []
    private var locations: [ChunkLocation] = []
    private var identities: [FileIdentity?] = []
    private var bytes = 0
    private var file: (path: [UInt8], size: Int64, chunkSize: UInt32)?
    private var run: (first: Int64, hashes: [ContentHash], locations: [ChunkLocation])?

    /// Pages that are complete now.
    mutating func add(_ node: TreeNode, identity: FileIdentity?) -> [Finished] {
        var finished = endRun()
        // One path in 512 begins a page.
        if !items.isEmpty, bytes >= Self.mostBytes || ContentHash(of: node.path).isOneIn(512) { finished.append(cut()) }
        items.append(.node(node))
        identities.append(identity)
        bytes += 64 + node.path.count + node.attributes.reduce(0) { $0 + 8 + $1.name.count + $1.value.count }
        file = nil
        if case .file(let size, let chunkSize, _) = node.content { file = (node.path, size, chunkSize) }
        return finished
    }

    /// Chunks of the file that was added last, in rising order; missing numbers are zero.
    mutating func add(chunk index: Int64, _ hash: ContentHash, _ location: ChunkLocation) -> [Finished] {
        var finished: [Finished] = []
        if let last = run, last.first + Int64(last.hashes.count) != index { finished += endRun() }
        if run == nil { run = (index, [], []) }
        run?.hashes.append(hash)
        run?.locations.append(location)
        if (index + 1) % MapPage.runLength == 0 { finished += endRun() }
        return finished
    }

    mutating func finish() -> [Finished] {
        var finished = endRun()
        if !items.isEmpty { finished.append(cut()) }
        return finished
    }

    private mutating func endRun() -> [Finished] {
        guard let (first, hashes, places) = run else { return [] }
        run = nil
        if items.isEmpty, let file { items.append(.more(path: file.path, size: file.size, chunkSize: file.chunkSize)) }
        items.append(.run(first: first, hashes: hashes))
        locations += places
        bytes += 13 + hashes.count * ContentHash.size
        let isFull = (first + Int64(hashes.count)) % MapPage.runLength == 0
        return isFull || bytes >= Self.mostBytes ? [cut()] : []
    }

    private mutating func cut() -> Finished {
        let page = MapPage(items: items, locations: locations)
        defer {
            items = []
            locations = []
            identities = []
            bytes = 0
        }
        return Finished(page: StoredPage(content: page.content(), places: page.places()), identities: identities)
    }
}
