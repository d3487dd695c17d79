internal import DRModel
internal import DRSupport

/// Turns the catalogue of one captured volume into map pages, reading only files that are not known to be unchanged and sending only chunks that the
/// store lacks.
///
/// Workers read, hash, compress and pack; what they find is put together here, in the order of the catalogue.
struct VolumeScan {
    let volume: VolumeName
    let live: StorePath
    let captured: StorePath
    let prior: PriorIndex
    /// Nil when the map of the earlier point came from the store, which does not know the files' marks, or when they are not to be believed.
    let cache: ScanCache?
    let reader: ChunkReader
    let workers: Workers
    let outbox: Outbox
    let lease: Lease

    private(set) var bytesRead: Int64 = 0
    private(set) var size: Int64 = 0
    /// Nothing was described anew.
    private(set) var isAllSame = true
    /// A symbolic link with more names stands in the map. Such entries are described anew each time: nothing that is known hides one.
    private(set) var hasLinkedSymlinks = false
    /// The clone that was read, of an image.
    private(set) var clone: StorePath?
    private var packs: Set<PackID> = []
    private var builder = MapBuilder()
    private var map: NextMap
    private var items = Queue<Item>()
    private var reads = 0
    /// Descriptors of large files whose pieces are under way.
    private var open = 0
    /// A page that stays as it is unless what follows would have gone into it.
    private var waiting: CachedPage?
    private var batch: Batch?

    private static let mostOpen = 64
    private static let batchFiles = 128
    private static let batchBytes: Int64 = 1 << 20

    init(
        volume: VolumeName, live: StorePath, captured: StorePath, prior: PriorIndex, cache: ScanCache?,
        reader: ChunkReader, workers: Workers, outbox: Outbox, lease: Lease, next: ScanCacheWriter
    ) {
        self.lease = lease
        self.volume = volume
        self.live = live
        self.captured = captured
        self.prior = prior
        self.cache = cache
        self.reader = reader
        self.workers = workers
        self.outbox = outbox
        map = NextMap(next)
    }

    mutating func run(_ catalogue: CatalogueReader) async throws -> PageIndex {
        while let frame = try catalogue.next() {
            switch frame {
            case .entry(let entry):
                isAllSame = false
                if catalogue.kind == .block, entry.isClone, let copy = entry.copy { clone = captured / String(copy) }
                try await take(entry)
            case .same(let number): try await same(number)
            case .head(let number):
                let page = try await page(number)
                try await head(of: page)
            case .kept(let number, let entries):
                isAllSame = false
                try await kept(entries, of: number)
            }
            try await settle()
        }
        endBatch()
        try await settle(most: 0)
        if let page = waiting { try use(page) }
        waiting = nil
        builder.finish()
        try takePages()
        try map.settle(most: 0)
        return PageIndex(kind: .init(catalogue.kind), entries: map.entries, packs: packs)
    }

    private func isStored(_ location: ChunkLocation) -> Bool { reader.stored.contains(location.pack) }

    private func page(_ number: Int) async throws -> PriorIndex.Page {
        guard let page = try await prior.page(number) else { throw lost }
        return page
    }

    private var lost: LostCache { LostCache(volume: volume) }

    // MARK: What is known

    private mutating func same(_ number: Int) async throws {
        if cache != nil, let cached = try await prior.cached(number), isStored(cached.entry.location),
            try look(cached, { page throws(Malformed) in try page.packs() }).allSatisfy(reader.stored.contains)
        {
            items.append(.page(cached))
            return
        }
        let page = try await page(number)
        try await head(of: page)
        try await takeEach(page.page.items[...], page.identities[...])
    }

    private mutating func kept(_ entries: Range<Int>, of number: Int) async throws {
        guard let part = try await prior.part(entries, of: number), part.page.marks.count == part.page.page.locations.count else {
            throw lost
        }
        guard cache != nil, part.page.page.locations[part.locations].allSatisfy(isStored) else {
            return try await takeEach(part.page.page.items[part.items], part.page.identities[part.nodes])
        }
        prior.pass(part)
        items.append(.part(part))
    }

    /// One after the other, because the store has lost something of them. What the last file of a page has in those that follow comes with those.
    private mutating func takeEach(_ items: ArraySlice<MapPage.Item>, _ identities: ArraySlice<FileIdentity?>) async throws {
        var identities = identities
        for case .node(let node) in items {
            guard let identity = identities.popFirst() ?? nil else { throw lost }
            try await take(CatalogueEntry(node: node, identity: identity, copy: nil, isClone: false, changed: nil), inPage: true)
            try await settle()
        }
    }

    /// Chunks of the file that the page before ends with.
    private mutating func head(of page: PriorIndex.Page) async throws {
        let runs = prior.head()
        guard !runs.isEmpty else { return }
        guard case .more(let path, let size, let chunkSize)? = page.page.items.first else { throw lost }
        let source = VolumeFile.Source(path: path.isEmpty ? live : live / path, expected: nil)
        var lostOnes: VolumeFile?
        for run in runs { try await copy(run, of: source, &lostOnes, size: size, chunkSize: Int64(chunkSize)) }
        if let lostOnes { items.append(.end(lostOnes)) }
    }

    /// `file`: the source, opened at the first run that must be read.
    private mutating func copy(
        _ run: PriorIndex.Run, of source: VolumeFile.Source, _ file: inout VolumeFile?, size: Int64, chunkSize: Int64
    ) async throws {
        if run.chunks.allSatisfy({ isStored($0.location) && $0.mark != nil }) {
            items.append(
                .chunks(
                    run.chunks.enumerated().compactMap { offset, chunk in
                        chunk.mark.map {
                            ScannedChunk(index: run.first + Int64(offset), hash: chunk.hash, mark: $0, location: chunk.location)
                        }
                    }))
            return try await settle()
        }
        // The store has lost a pack: the bytes are sent once more, if they are still the same.
        let again = try file ?? openFile(source)
        file = again
        let end = min(size, (run.first + Int64(run.chunks.count)) * chunkSize)
        for start in stride(from: run.first * chunkSize, to: end, by: Scratch.size) {
            let range = start..<min(end, start + Int64(Scratch.size))
            let known = run.chunks[Int(start / chunkSize - run.first)...].prefix(Scratch.size / Int(chunkSize))
            try await submit(again, range, chunkSize: chunkSize, known: Array(known), mustBeSame: true)
        }
    }

    private mutating func openFile(_ source: VolumeFile.Source) throws -> VolumeFile {
        // Whatever stands before it can be settled.
        endBatch()
        let file = try VolumeFile(source, volume, reader.io)
        open += 1
        return file
    }

    // MARK: Entries

    private mutating func take(_ entry: CatalogueEntry, inPage: Bool = false) async throws {
        try Task.checkCancellation()
        items.append(.node(entry.node, entry.identity))
        if case .symlink(_, shared: true) = entry.node.content { hasLinkedSymlinks = true }
        guard case .file(let size, let chunkSize, _) = entry.node.content else { return }
        var known = try await prior.file(at: entry.node.path)
        // Runs of chunks of another size are of no use, and would be wrong under this one.
        if case .file(_, let before, _)? = known?.node.content, before != chunkSize { known = nil }
        if let known, let cache, entry.copy == nil, cache.trusts(known.identity, entry.identity) {
            let source = self.source(of: entry)
            var lostOnes: VolumeFile?
            while let run = try await prior.nextRun(inPage: inPage) {
                try await copy(run, of: source, &lostOnes, size: size, chunkSize: Int64(chunkSize))
            }
            if let lostOnes { items.append(.end(lostOnes)) }
            if prior.isDamaged { throw lost }
        } else if size > 0, size <= Int64(chunkSize), size <= Int64(Scratch.size) {
            try await readWhole(entry, size: size, isKnown: known != nil)
        } else if size > 0 {
            try await read(entry, size: size, chunkSize: Int64(chunkSize), known: known)
        }
    }

    private func source(of entry: CatalogueEntry) -> VolumeFile.Source {
        if let copy = entry.copy { return VolumeFile.Source(path: captured / String(copy), expected: nil) }
        return VolumeFile.Source(path: entry.node.path.isEmpty ? live : live / entry.node.path, expected: entry.identity)
    }

    private mutating func readWhole(_ entry: CatalogueEntry, size: Int64, isKnown: Bool) async throws {
        let known = isKnown ? try await prior.chunk(0) : nil
        let filling = batch ?? Batch()
        batch = filling
        filling.files.append(ChunkReader.Whole(source: source(of: entry), size: size, known: known))
        filling.bytes += size
        items.append(.whole(filling, filling.files.count - 1))
        if filling.files.count == Self.batchFiles || filling.bytes >= Self.batchBytes { endBatch() }
    }

    private mutating func endBatch() {
        guard let full = batch else { return }
        batch = nil
        let files = full.files
        full.ticket = workers.submit { [reader] in try reader.read(files) }
        reads += 1
    }

    private mutating func submit(
        _ file: VolumeFile, _ range: Range<Int64>, chunkSize: Int64, known: [PriorIndex.Chunk?], mustBeSame: Bool = false
    ) async throws {
        items.append(
            .piece(
                workers.submit { [reader] in
                    try reader.read(file, range, chunkSize: chunkSize, known: known, mustBeSame: mustBeSame)
                }))
        reads += 1
        try await settle()
    }

    private mutating func read(_ entry: CatalogueEntry, size: Int64, chunkSize: Int64, known: PriorIndex.File?) async throws {
        let file = try openFile(source(of: entry))
        var parts = try FileParts(file, size: size, chunkSize: chunkSize, believesHoles: cache != nil)
        // Both clones are still: what they share is the same, if the other one is what the cache describes.
        var unchanged = Unchanged(cache != nil && known != nil ? entry.changed : nil, chunkSize: chunkSize)
        while var rest = try parts.next() {
            while !rest.isEmpty {
                let range = unchanged.beginning(of: rest)
                rest = range.upperBound..<rest.upperBound
                var chunks: [PriorIndex.Chunk?] = []
                if known != nil {
                    for index in range.lowerBound / chunkSize..<(range.upperBound + chunkSize - 1) / chunkSize {
                        chunks.append(try await prior.chunk(index))
                    }
                }
                if !prior.isDamaged, chunks.allSatisfy({ $0.map { isStored($0.location) } ?? true }),
                    let same = unchanged.take(range, chunks)
                {
                    items.append(.chunks(same))
                    try await settle()
                } else {
                    try await submit(file, range, chunkSize: chunkSize, known: chunks)
                }
            }
        }
        items.append(.end(file))
    }

    // MARK: Putting together

    /// After each piece of work that was handed out: memory, descriptors and what waits for the store stay within bounds.
    private mutating func settle() async throws {
        // A look at many TiB may last for days and put nothing.
        try await lease.renew()
        let tooMany = items.count > 4096 || open > Self.mostOpen
        if tooMany { endBatch() }
        try await settle(most: tooMany ? 0 : workers.width * 8)
    }

    /// Takes what is done, in order, until no more than `most` pieces of work are under way; then waits until the store has room.
    private mutating func settle(most: Int) async throws {
        while let item = items.first {
            var isReady = true
            switch item {
            case .piece(let ticket): isReady = reads > most || ticket.isDone
            // Its batch may still be being filled.
            case .whole(let batch, _): isReady = batch.ticket.map { reads > most || $0.isDone } ?? false
            case .node, .chunks, .end, .page, .part: break
            }
            guard isReady else { break }
            switch item {
            case .piece(let ticket):
                reads -= 1
                let piece = try ticket.wait()
                bytesRead += piece.bytesRead
                for chunk in piece.chunks { try add(chunk) }
            case .whole(let batch, let number):
                guard let piece = try batch.ticket?.wait()[number] else { break }
                if number == batch.files.count - 1 { reads -= 1 }
                bytesRead += piece.bytesRead
                for chunk in piece.chunks { try add(chunk) }
            case .node(let node, let identity):
                let isBoundary = MapBuilder.isBoundary(node.path)
                try settle(before: isBoundary)
                builder.add(node, isBoundary: isBoundary, identity: identity)
                try takePages()
            case .chunks(let chunks): for chunk in chunks { try add(chunk) }
            case .end(let file):
                open -= 1
                try file.finish()
            case .page(let page): try add(page)
            case .part(let part): try add(part)
            }
            items.removeFirst()
        }
        try await outbox.room(max(2, workers.width))
    }

    private mutating func add(_ chunk: ScannedChunk) throws {
        try settle(before: false)
        try add(toBuilder: chunk)
        try takePages()
    }

    private mutating func add(toBuilder chunk: ScannedChunk) throws {
        do throws(Malformed) { try builder.add(chunk) } catch { throw lost }
    }

    private mutating func add(_ page: CachedPage) throws {
        try settle(before: page.beginsAtBoundary)
        guard builder.isEmpty else { return try expand(page) }
        if page.endsItself { try use(page) } else { waiting = page }
    }

    /// Decides on the page that waits: what follows begins a page of its own, or would have gone into it.
    private mutating func settle(before beginsPage: Bool) throws {
        guard let page = waiting else { return }
        waiting = nil
        if beginsPage { try use(page) } else { try expand(page) }
    }

    /// As it is, without looking into it.
    private mutating func use(_ page: CachedPage) throws {
        size += page.size
        packs.formUnion(try look(page) { page throws(Malformed) in try page.packs() })
        map.append(page)
        try map.settle(most: workers.width * 4)
        builder.passed(page)
    }

    /// What was read and compared with its checksum can be parsed, unless somebody wrote nonsense with a right one.
    private func look<Result>(_ page: CachedPage, _ body: (CachedPage) throws(Malformed) -> Result) throws -> Result {
        do throws(Malformed) { return try body(page) } catch { throw lost }
    }

    private mutating func expand(_ cached: CachedPage) throws {
        let page = try look(cached) { page throws(Malformed) in try page.prior() }
        try add(
            PriorIndex.Part(
                page: page, items: 0..<page.page.items.count, nodes: 0..<page.identities.count, locations: 0..<page.page.locations.count))
    }

    /// Without looking at the files.
    private mutating func add(_ part: PriorIndex.Part) throws {
        let page = part.page
        var node = part.nodes.lowerBound
        var chunk = part.locations.lowerBound
        for number in part.items {
            switch page.page.items[number] {
            case .node(let next):
                // Where a path begins a page, it began this one.
                let isBoundary = number == 0 && MapBuilder.isBoundary(next.path)
                try settle(before: isBoundary)
                builder.add(next, isBoundary: isBoundary, identity: page.identities[node])
                node += 1
            case .more: continue
            case .run(let first, let hashes):
                for (offset, hash) in hashes.enumerated() {
                    try add(
                        toBuilder: ScannedChunk(
                            index: first + Int64(offset), hash: hash, mark: page.marks[chunk], location: page.page.locations[chunk]))
                    chunk += 1
                }
            }
        }
        try takePages()
    }

    private mutating func takePages() throws {
        let made = builder.take()
        if made.isEmpty { return }
        for page in made {
            size += page.size
            packs.formUnion(page.packs)
            map.append(workers.submit { [reader, known = prior.pages] in reader.send(page, unless: known) })
        }
        try map.settle(most: workers.width * 4)
    }
}
