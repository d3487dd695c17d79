internal import DRModel

/// The map of an earlier point, read in step with a new scan: what was there under this path, and is this chunk the same?
///
/// It only ever saves time. When it cannot be read any further it ends, and everything after counts as new.
final class PriorIndex {
    struct Page {
        let page: MapPage
        /// One for each node of the page; empty when it came from a store.
        let identities: [FileIdentity?]
    }

    struct File {
        let node: TreeNode
        let identity: FileIdentity?
    }

    typealias Run = (first: Int64, hashes: [ContentHash], locations: [ChunkLocation])

    private let load: () async throws -> Page?
    private var page = Page(page: MapPage(items: [], locations: []), identities: [])
    private var item = 0
    private var node = 0
    private var location = 0
    private var ended = false
    private var path: [UInt8]?
    private var current: Run?

    init(load: @escaping () async throws -> Page?) { self.load = load }

    static func none() -> PriorIndex { PriorIndex { nil } }

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

    /// The next run of the file that was found last.
    func nextRun() async throws -> Run? {
        while let path, let next = try await peek() {
            switch next {
            case .more(let more, _, _) where more == path: skip(next)
            case .run(let first, let hashes):
                let locations = Array(page.page.locations[location..<location + hashes.count])
                skip(next)
                return (first, hashes, locations)
            default: return nil
            }
        }
        return nil
    }

    /// Chunk `index` of the file that was found last. Chunks must be asked for in rising order, and not together with `nextRun`.
    func chunk(_ index: Int64) async throws -> (hash: ContentHash, location: ChunkLocation)? {
        while true {
            if let run = current {
                if index < run.first { return nil }
                let position = Int(index - run.first)
                if position < run.hashes.count { return (run.hashes[position], run.locations[position]) }
            }
            guard let run = try await nextRun() else {
                path = nil
                return nil
            }
            current = run
        }
    }

    private func peek() async throws -> MapPage.Item? {
        while item == page.page.items.count, !ended {
            do {
                guard let next = try await load() else {
                    ended = true
                    break
                }
                page = next
                item = 0
                node = 0
                location = 0
            } catch is Malformed {
                ended = true
            } catch let error as DRError where error.code == .damaged || error.code == .notFound {
                ended = true
            }
        }
        return ended ? nil : page.page.items[item]
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
