internal import DRModel

/// Goes through a volume's map in order, as far as it is asked; bytes are not read.
final class MapCursor {
    enum Piece {
        case node(TreeNode)
        /// Chunks of one file, in rising order; more may follow.
        case chunks(TreeNode, [PointReader.Wanted])
    }

    private let reader: PointReader
    private let volume: PointRecord.Volume
    private let entries: [PageIndex.Entry]
    private let packs: Set<PackID>
    private var order: TreeOrder
    private var size: Int64 = 0
    private var number = 0
    private var page: MapPage?
    private var name = ""
    private var item = 0
    private var place = 0
    private var ahead: Piece?

    init(_ volume: PointRecord.Volume, _ reader: PointReader) throws {
        self.reader = reader
        self.volume = volume
        let index = try reader.index(volume)
        entries = index.entries
        packs = Set(index.packs)
        order = TreeOrder(volume.volume.kind)
    }

    /// The next entry; chunks of the one before that nobody asked for are passed over. Nil after the last.
    func node() throws -> TreeNode? {
        while let piece = try next() { if case .node(let node) = piece { return node } }
        return nil
    }

    /// The next chunks of the entry at hand; nil when it has no more.
    func chunks() throws -> [PointReader.Wanted]? {
        guard let piece = try next() else { return nil }
        if case .chunks(_, let chunks) = piece { return chunks }
        ahead = piece
        return nil
    }

    func next() throws -> Piece? {
        if let piece = ahead {
            ahead = nil
            return piece
        }
        while true {
            guard let page = try page ?? turn() else { return try end() }
            guard item < page.items.count else {
                self.page = nil
                continue
            }
            defer { item += 1 }
            switch page.items[item] {
            case .node(let node):
                try sound { () throws(Malformed) in try order.accept(node) }
                return .node(node)
            case .more(let path, _, _): try sound { () throws(Malformed) in try order.continues(path) }
            case .run(let first, let hashes): return try run(first, hashes, page)
            }
        }
    }

    private func turn() throws -> MapPage? {
        guard number < entries.count else { return nil }
        try Task.checkCancellation()
        let entry = entries[number]
        let next = try reader.page(entry)
        name = reader.copy.names.pack(entry.location.pack)
        // Whoever keeps or fetches packs goes by the index.
        guard next.locations.allSatisfy({ packs.contains($0.pack) }) else {
            throw DamagedCopy(object: index, what: "it does not name a pack that a chunk stands in")
        }
        number += 1
        (page, item, place) = (next, 0, 0)
        return next
    }

    private func run(_ first: Int64, _ hashes: [ContentHash], _ page: MapPage) throws -> Piece? {
        var wanted: [PointReader.Wanted] = []
        wanted.reserveCapacity(hashes.count)
        var file: TreeNode?
        for (offset, hash) in hashes.enumerated() {
            let index = first + Int64(offset)
            let (owner, length) = try sound { () throws(Malformed) in try order.acceptChunk(index) }
            file = owner
            wanted.append(
                PointReader.Wanted(path: owner.path, index: index, hash: hash, location: page.locations[place], length: length))
            place += 1
            size += Int64(length)
        }
        return file.map { .chunks($0, wanted) }
    }

    private func end() throws -> Piece? {
        guard size == volume.volume.size.bytes, order.isComplete else {
            throw DamagedCopy(object: index, what: "it is not all of the volume that the record names")
        }
        return nil
    }

    private var index: String { reader.copy.names.map(volume.index) }

    private func sound<Result>(_ body: () throws(Malformed) -> Result) throws -> Result {
        do throws(Malformed) { return try body() } catch { throw DamagedCopy(object: name, error) }
    }
}
