internal import DRModel
internal import DRSupport

/// The pages of a new map in their order, on their way into its index and the next scan cache; those that are new are made by the workers.
struct NextMap {
    private enum Page {
        case kept(CachedPage)
        case made(Ticket<CachedPage>)
    }

    private let cache: ScanCacheWriter
    private var pages = Queue<Page>()
    private(set) var entries: [PageIndex.Entry] = []

    init(_ cache: ScanCacheWriter) { self.cache = cache }

    mutating func append(_ page: CachedPage) { pages.append(.kept(page)) }
    mutating func append(_ page: Ticket<CachedPage>) { pages.append(.made(page)) }

    /// Takes those that are complete, until no more than `most` are left.
    mutating func settle(most: Int) throws {
        while let page = pages.first {
            let complete: CachedPage
            switch page {
            case .kept(let page): complete = page
            case .made(let ticket):
                guard pages.count > most || ticket.isDone else { return }
                complete = try ticket.wait()
            }
            entries.append(complete.entry)
            try cache.write(complete)
            pages.removeFirst()
        }
    }
}
