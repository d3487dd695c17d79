internal import DRModel

/// Compares a walk with a scan cache, a page at a time.
///
/// What is as it was is told in runs, at the latest at the end of its page; a whole page in one. Throws `Malformed` when the cache is damaged: nothing that was
/// found with it counts then.
struct KnownPages {
    private let cache: ScanCache?
    private let pages: ScanCachePages?
    private var page: (number: Int, entries: CachedPage.Entries)?
    private var position = 0
    /// Where the entries that are as they were, up to `position`, begin.
    private var kept: Int?
    /// An entry of this page is not as it was.
    private var isBroken = false
    /// The last file came with its page, so what goes on from it must come with its own.
    private var isTailSame = false

    enum Found {
        /// Write this down; `known` are the marks that the cache has of it.
        case entry(TreeWalk.Entry, known: FileIdentity?)
        case same(page: Int)
        case head(page: Int)
        /// These entries of the page are as they were; never its last.
        case kept(page: Int, entries: Range<Int>)
    }

    init(_ cache: ScanCache?) throws {
        self.cache = cache
        pages = try cache?.pages()
    }

    /// Entries in walk order. Calls `found` with what is known now, in that order.
    mutating func take(_ entry: TreeWalk.Entry, _ found: (Found) throws -> Void) throws {
        while true {
            try load(found)
            guard let (number, entries) = page else { return try found(.entry(entry, known: nil)) }
            let wanted = entries.paths[position]
            if entry.path == wanted {
                let known = position < entries.identities.count ? entries.identities[position] : nil
                // Files of several names are described together, by whoever sees all the names.
                let isSame =
                    (entry.facts.links <= 1 || entry.facts.kind == .folder) && cache?.trusts(known, FileIdentity(entry.facts)) == true
                let isLast = position + 1 == entries.paths.count
                if isSame, isLast, !isBroken {
                    (page, kept, isTailSame) = (nil, nil, true)
                    return try found(.same(page: number))
                }
                if isSame, !isLast {
                    kept = kept ?? position
                } else {
                    try breakPage(found)
                    try found(.entry(entry, known: known))
                    if isLast { page = nil }
                }
                position += 1
                return
            }
            try breakPage(found)
            if TreeNode.isBefore(entry.path, wanted) { return try found(.entry(entry, known: nil)) }
            position += 1
            if position == entries.paths.count { page = nil }
        }
    }

    /// Call it when the walk is over.
    mutating func finish(_ found: (Found) throws -> Void) throws {
        if page != nil { try breakPage(found) }
        page = nil
        // Only what goes on from the last file can still be as it was.
        while isTailSame, let next = try nextPage() {
            if next.entries.paths.isEmpty {
                try found(.same(page: next.number))
            } else {
                if next.entries.hasHead { try found(.head(page: next.number)) }
                return
            }
        }
    }

    private mutating func load(_ found: (Found) throws -> Void) throws {
        while page == nil, let next = try nextPage() {
            if next.entries.paths.isEmpty {
                if isTailSame { try found(.same(page: next.number)) }
                continue
            }
            page = next
            position = 0
            isBroken = next.entries.hasHead && !isTailSame
            kept = nil
        }
    }

    private func nextPage() throws -> (number: Int, entries: CachedPage.Entries)? {
        try pages?.next().map { ($0.number, try $0.entries()) }
    }

    /// The page is not as it was; what is, up to here, is told.
    private mutating func breakPage(_ found: (Found) throws -> Void) throws {
        guard let (number, entries) = page else { return }
        if !isBroken, entries.hasHead, isTailSame { try found(.head(page: number)) }
        isBroken = true
        isTailSame = false
        if let start = kept { try found(.kept(page: number, entries: start..<position)) }
        kept = nil
    }
}
