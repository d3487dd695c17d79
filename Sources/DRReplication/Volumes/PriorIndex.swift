internal import DRModel
internal import DRSupport

/// The map of an earlier point, read in step with a new scan: what was there under this path, and is this chunk the same?
///
/// It only ever saves time. When it cannot be read any further it ends, and everything after counts as new.
final class PriorIndex {
    struct Page: Sendable {
        /// Counted from 0.
        let number: Int
        let page: MapPage
        /// One for each node of the page, one for each chunk; empty when it came from a store.
        let identities: [FileIdentity?]
        let marks: [ChunkMark]
        let entry: PageIndex.Entry?
    }

    /// Some entries of a page.
    struct Part: Sendable {
        let page: Page
        let items: Range<Int>
        let nodes: Range<Int>
        let locations: Range<Int>
    }

    enum Loaded {
        case page(Page)
        /// Of a cache, and not looked into before somebody asks what is in it.
        case cached(CachedPage)
    }

    struct File {
        let node: TreeNode
        let identity: FileIdentity?
    }

    /// What is known of a chunk. `mark` only from a cache.
    struct Chunk: Sendable {
        let hash: ContentHash
        let location: ChunkLocation
        let mark: ChunkMark?
    }

    typealias Run = (first: Int64, chunks: [Chunk])

    private let load: () async throws -> Loaded?
    private var page = Page(number: -1, page: MapPage(items: [], locations: []), identities: [], marks: [], entry: nil)
    /// The current page while nobody has looked into it; `page` is then empty.
    private var closed: CachedPage?
    private var item = 0
    private var node = 0
    private var location = 0
    private var ended = false
    /// It ended before its end.
    private(set) var isDamaged = false
    private var path: [UInt8]?
    private var current: Run?

    /// Where the pages that were looked at so far are stored, by their names.
    let pages = Lock<[ContentHash: ChunkLocation]>([:])

    init(load: @escaping () async throws -> Loaded?) { self.load = load }

    static func none() -> PriorIndex { PriorIndex { nil } }

    /// Page `number`, from its beginning; nil when it cannot be had. Numbers must rise.
    func page(_ number: Int) async throws -> Page? {
        path = nil
        current = nil
        while page.number < number, !ended { try await next(looking: false) }
        guard !ended, page.number == number else { return nil }
        look()
        rewind()
        return ended ? nil : page
    }

    /// Page `number` of a cache as it stands there, not looked into; nil when it cannot be had. Numbers must rise. What is asked for then comes after it,
    /// unless `page` asks for the same one.
    func cached(_ number: Int) async throws -> CachedPage? {
        path = nil
        current = nil
        while page.number < number, !ended { try await next(looking: false) }
        return ended || page.number != number ? nil : closed
    }

    /// Entries of page `number` that follow one another, with all that they hold; nil when they cannot be had. What comes before them is passed; they are
    /// not, before `pass`. Pages and entries must rise.
    func part(_ wanted: Range<Int>, of number: Int) async throws -> Part? {
        path = nil
        current = nil
        while page.number < number, !ended { try await next(looking: false) }
        look()
        guard !ended, page.number == number, wanted.upperBound < page.identities.count, node <= wanted.lowerBound else { return nil }
        while item < page.page.items.count {
            if node == wanted.lowerBound, case .node = page.page.items[item] { break }
            skip(page.page.items[item])
        }
        let start = (item: item, node: node, location: location)
        var end = start
        while end.item < page.page.items.count {
            switch page.page.items[end.item] {
            case .node where end.node == wanted.upperBound:
                return Part(page: page, items: start.item..<end.item, nodes: wanted, locations: start.location..<end.location)
            case .node: end.node += 1
            case .run(_, let hashes): end.location += hashes.count
            case .more: break
            }
            end.item += 1
        }
        return nil
    }

    func pass(_ part: Part) { (item, node, location) = (part.items.upperBound, part.nodes.upperBound, part.locations.upperBound) }

    /// The runs before the page's first entry: they belong to the last file of the page before.
    func head() -> [Run] {
        var runs: [Run] = []
        while item < page.page.items.count {
            switch page.page.items[item] {
            case .node: return runs
            case .more: skip(page.page.items[item])
            case .run(let first, let hashes): runs.append(take(first, hashes))
            }
        }
        return runs
    }

    /// Paths must be asked for in walk order.
    func file(at wanted: [UInt8]) async throws -> File? {
        path = nil
        current = nil
        while let next = try await peek() {
            guard case .node(let found) = next else {
                skip(next)
                continue
            }
            if found.path == wanted {
                let identity = node < page.identities.count ? page.identities[node] : nil
                skip(next)
                guard case .file = found.content else { return nil }
                path = wanted
                return File(node: found, identity: identity)
            }
            guard TreeNode.isBefore(found.path, wanted) else { return nil }
            skip(next)
        }
        return nil
    }

    /// The next run of the file that was found last. `inPage`: only those that stand in the page of the last one.
    func nextRun(inPage: Bool = false) async throws -> Run? {
        while let path {
            if inPage, item == page.page.items.count { return nil }
            guard let next = try await peek() else { return nil }
            switch next {
            case .more(let more, _, _) where more == path: skip(next)
            case .run(let first, let hashes): return take(first, hashes)
            default: return nil
            }
        }
        return nil
    }

    /// Chunk `index` of the file that was found last. Chunks must be asked for in rising order, and not together with `nextRun`.
    func chunk(_ index: Int64) async throws -> Chunk? {
        while true {
            if let run = current {
                if index < run.first { return nil }
                let position = Int(index - run.first)
                if position < run.chunks.count { return run.chunks[position] }
            }
            guard let run = try await nextRun() else {
                path = nil
                return nil
            }
            current = run
        }
    }

    private func take(_ first: Int64, _ hashes: [ContentHash]) -> Run {
        let chunks = hashes.indices.map { offset in
            Chunk(
                hash: hashes[offset], location: page.page.locations[location + offset],
                mark: location + offset < page.marks.count ? page.marks[location + offset] : nil)
        }
        item += 1
        location += hashes.count
        return (first, chunks)
    }

    private func peek() async throws -> MapPage.Item? {
        while item == page.page.items.count, !ended { try await next() }
        return ended ? nil : page.page.items[item]
    }

    private func next(looking: Bool = true) async throws {
        do {
            guard let next = try await load() else {
                ended = true
                return
            }
            switch next {
            case .page(let read): (page, closed) = (read, nil)
            case .cached(let cached):
                page = Page(number: cached.number, page: MapPage(items: [], locations: []), identities: [], marks: [], entry: cached.entry)
                closed = cached
            }
            if let entry = page.entry { pages.withLock { $0[entry.page] = entry.location } }
            if looking { look() }
            rewind()
        } catch is Malformed {
            (ended, isDamaged) = (true, true)
        } catch let error as DRError where [.notFound, .damaged, .keyMissing].contains(error.code) {
            (ended, isDamaged) = (true, true)
        }
    }

    private func look() {
        guard let cached = closed else { return }
        closed = nil
        do throws(Malformed) { page = try cached.prior() } catch { (ended, isDamaged) = (true, true) }
    }

    private func rewind() {
        item = 0
        node = 0
        location = 0
    }

    private func skip(_ skipped: MapPage.Item) {
        item += 1
        switch skipped {
        case .node: node += 1
        case .run(_, let hashes): location += hashes.count
        case .more: break
        }
    }
}
