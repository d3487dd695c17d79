internal import DRModel
internal import DRSupport

/// Reads a point from the own copy and believes nothing: every object and every chunk is compared with the hash that names it.
///
/// Throws `DamagedCopy`.
final class PointReader {
    let copy: OwnCopy
    let workers: Workers
    let scratches = Scratches()
    private let compressor = Compressor()

    init(_ copy: OwnCopy, workers: Workers) {
        self.copy = copy
        self.workers = workers
    }

    private func sound<Result>(_ object: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as Malformed { throw DamagedCopy(object: object, error) }
    }

    func index(_ volume: PointRecord.Volume) throws -> PageIndex {
        try index(volume.index, of: .init(volume.volume.kind), volume.volume.content)
    }

    func index(_ manifests: PointRecord.Manifests) throws -> PageIndex { try index(manifests.index, of: .manifests, manifests.content) }

    private func index(_ hash: ContentHash, of kind: PageIndex.Kind, _ content: ContentToken) throws -> PageIndex {
        let name = copy.names.map(hash)
        let object = try copy.read(name)
        return try sound(name) {
            let index = try PageIndex(parsing: object, name: hash)
            guard index.token == content, index.kind == kind else {
                throw Malformed("it is not the volume or the manifests that the record names")
            }
            return index
        }
    }

    func page(_ entry: PageIndex.Entry) throws -> MapPage {
        try stored(entry) { page throws(Malformed) in try page.page() }
    }

    private func stored<Result>(_ entry: PageIndex.Entry, _ body: (StoredPage) throws(Malformed) -> Result) throws -> Result {
        let place = entry.location
        var stored = [UInt8](repeating: 0, count: Int(place.stored))
        try unsafe stored.withUnsafeMutableBytes { try unsafe copy.packs.read(place.pack, at: Int64(place.offset), into: $0) }
        return try sound(copy.names.pack(place.pack)) {
            let bytes = try unsafe stored.withUnsafeBytes {
                try unsafe compressor.unpack($0, place.codec, length: Int(entry.contentLength) + Int(entry.placesLength))
            }
            return try body(try StoredPage(bytes, of: entry))
        }
    }

    func manifests(_ record: PointRecord) throws -> [ManifestObject] {
        let pages = try index(record.manifests).entries.map { try stored($0) { page throws(Malformed) in page } }
        return try sound(copy.names.map(record.manifests.index)) { try ManifestPages.manifests(pages) }
    }

    /// A chunk of a file and where it stands.
    struct Wanted: Sendable {
        let path: [UInt8]
        let index: Int64
        let hash: ContentHash
        let location: ChunkLocation
        let length: Int
    }

    /// Goes through a volume's map in order; bytes are not read. `chunks` gets those of one file, in rising order.
    func walk(
        _ volume: PointRecord.Volume, node: (TreeNode) throws -> Void, chunks: (TreeNode, [Wanted]) throws -> Void
    ) throws {
        let map = try MapCursor(volume, self)
        while let piece = try map.next() {
            switch piece {
            case .node(let next): try node(next)
            case .chunks(let file, let some): try chunks(file, some)
            }
        }
    }

    /// Reads and compares everything that the record names, the packs' own checksums included. Fills memory with a few megabytes a thread.
    func verify(_ record: PointRecord) throws {
        let packs = try record.volumes.reduce(into: Set(index(record.manifests).packs)) { try $0.formUnion(index($1).packs) }
        var checks = Pending<Void>(most: workers.width * 2)
        for pack in packs.sorted() {
            try Task.checkCancellation()
            try checks.add(
                workers.submit { [files = copy.packs, names = copy.names, copy = PackCheck(copy)] in
                    files.forget(pack)
                    try copy.checksum(names.pack(pack), pack)
                })
        }
        try checks.finish()
        _ = try manifests(record)
        for volume in record.volumes {
            var reads = Pending<Void>(most: workers.width * 4)
            var load = ChunkLoad()
            try walk(
                volume, node: { _ in },
                chunks: { _, chunks in
                    for chunk in chunks {
                        if let full = load.add(chunk) { try reads.add(submit(full)) }
                    }
                })
            if let rest = load.take() { try reads.add(submit(rest)) }
            try reads.finish()
        }
    }

    private func submit(_ chunks: [Wanted]) -> Ticket<Void> {
        workers.submit { [scratches, loader = ChunkLoader(copy.packs, copy.names)] in
            try scratches.use { try unsafe loader.load(chunks, $0) { _, _ in } }
        }
    }
}

/// Reads whole packs back.
struct PackCheck: Sendable {
    private let root: StorePath
    private let io: any StoreIO

    init(_ copy: OwnCopy) {
        root = copy.root
        io = copy.io
    }

    func read(_ name: String) throws -> [UInt8] {
        try DamagedCopy.noticing(name) { try io.readWhole(root / name) }
    }

    /// That nothing of it was changed by accident.
    @discardableResult
    func checksum(_ name: String, _ id: PackID) throws -> Pack {
        let object = try read(name)
        do {
            let pack = try Pack(parsing: object)
            guard pack.id == id else { throw Malformed("it is another pack") }
            return pack
        } catch let error as Malformed { throw DamagedCopy(object: name, error) }
    }

    /// The same, and that each chunk is what its hash says.
    func whole(_ name: String, _ id: PackID) throws {
        let object = try read(name)
        do {
            let pack = try Pack(parsing: object)
            guard pack.id == id else { throw Malformed("it is another pack") }
            try pack.check(object)
        } catch let error as Malformed { throw DamagedCopy(object: name, error) }
    }
}
