internal import DRModel

/// Reads a point from the own copy and believes nothing: every object and every chunk is compared with the hash that names it.
///
/// Throws `DamagedCopy`.
final class PointReader {
    private let copy: OwnCopy
    private let compressor = Compressor()

    init(_ copy: OwnCopy) { self.copy = copy }

    private func sound<Result>(_ object: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as Malformed { throw DamagedCopy(object: object, what: error.what) }
    }

    func index(_ volume: PointRecord.Volume) throws -> VolumeIndex {
        let name = copy.names.map(volume.index)
        let object = try copy.read(name)
        return try sound(name) {
            let index = try VolumeIndex(parsing: object, name: volume.index)
            guard index.token == volume.volume.content, index.kind == volume.volume.kind else {
                throw Malformed("it is not the volume that the record names")
            }
            return index
        }
    }

    func page(_ entry: VolumeIndex.Entry) throws -> MapPage {
        let name = copy.names.map(entry.page)
        let object = try copy.read(name)
        return try sound(name) {
            let stored = try StoredPage(parsing: object, name: entry.page, compressor)
            guard stored.contentHash == entry.content else { throw Malformed("its content is not what the index names") }
            return try stored.page()
        }
    }

    func chunk(_ hash: ContentHash, at location: ChunkLocation, length: Int, of path: [UInt8], index: Int64) throws -> [UInt8] {
        let stored = try copy.bytes(at: location)
        do throws(Malformed) {
            let bytes = try unpacked(stored, location.codec, length)
            guard ContentHash(of: bytes) == hash else { throw Malformed("its checksum is wrong") }
            return bytes
        } catch {
            let file = path.isEmpty ? "the volume" : String(decoding: path, as: UTF8.self)
            throw DamagedCopy(object: copy.names.pack(location.pack), what: "chunk \(index) of \(file): \(error.what)")
        }
    }

    private func unpacked(_ stored: [UInt8], _ codec: Codec, _ length: Int) throws(Malformed) -> [UInt8] {
        guard length > 0, length <= 1 << 24 else { throw Malformed("its length is wrong") }
        do {
            return try unsafe stored.withUnsafeBytes { try unsafe compressor.unpack($0, codec, length: length) }
        } catch { throw error as? Malformed ?? Malformed("it cannot be read") }
    }

    func manifests(_ record: PointRecord) throws -> [ManifestObject] {
        let name = copy.names.manifests(record.manifests)
        let object = try copy.read(name)
        return try sound(name) { try ManifestList.parse(object, name: record.manifests) }
    }

    /// Goes through a volume's content in order. `chunk` gets the file it belongs to, its number and its bytes.
    func read(
        _ volume: PointRecord.Volume, node: (TreeNode) throws -> Void, chunk: (TreeNode, Int64, [UInt8]) throws -> Void
    ) throws {
        var order = TreeOrder(volume.volume.kind)
        var size: Int64 = 0
        for entry in try index(volume).entries {
            try Task.checkCancellation()
            let page = try self.page(entry)
            let name = copy.names.map(entry.page)
            var place = 0
            for item in page.items {
                switch item {
                case .node(let next):
                    try sound(name) { try order.accept(next) }
                    try node(next)
                case .more(let path, _, _): try sound(name) { try order.continues(path) }
                case .run(let first, let hashes):
                    for (offset, hash) in hashes.enumerated() {
                        let index = first + Int64(offset)
                        let (file, length) = try sound(name) { try order.acceptChunk(index) }
                        let bytes = try self.chunk(hash, at: page.locations[place], length: length, of: file.path, index: index)
                        place += 1
                        size += Int64(length)
                        try chunk(file, index, bytes)
                    }
                }
            }
        }
        guard size == volume.volume.size.bytes, order.isComplete else {
            throw DamagedCopy(object: copy.names.map(volume.index), what: "it is not all of the volume that the record names")
        }
    }

    /// Reads and compares everything that the record names, the packs' own checksums included.
    func verify(_ record: PointRecord) throws {
        _ = try manifests(record)
        for volume in record.volumes {
            for pack in try packs(of: volume) {
                try Task.checkCancellation()
                let name = copy.names.pack(pack)
                let object = try copy.read(name)
                try sound(name) {
                    guard try Pack(parsing: object).id == pack else { throw Malformed("it is another pack") }
                }
            }
            try read(volume, node: { _ in }, chunk: { _, _, _ in })
        }
    }

    /// Every pack that the volume's chunks are in. Sixteen bytes of memory a pack.
    func packs(of volume: PointRecord.Volume) throws -> [PackID] {
        var packs: Set<PackID> = []
        for entry in try index(volume).entries { for location in try page(entry).locations { packs.insert(location.pack) } }
        return packs.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}

/// Keeps a map honest: entries in order, below folders that came before, links only to files that came before, chunks inside their file.
struct TreeOrder {
    private let kind: VolumeKind
    private var last: TreeNode?
    private var folders: [[UInt8]] = []
    private var shared: Set<[UInt8]> = []
    private var chunk: Int64 = -1

    init(_ kind: VolumeKind) { self.kind = kind }

    var isComplete: Bool { last != nil }

    mutating func accept(_ node: TreeNode) throws(Malformed) {
        if let last {
            guard kind == .filesystem, TreeNode.isBefore(last.path, node.path) else { throw Malformed("its entries are out of order") }
            let parent = node.path.lastIndex(of: UInt8(ascii: "/")).map { Array(node.path[..<$0]) } ?? []
            while let folder = folders.last, folder != parent { folders.removeLast() }
            guard !folders.isEmpty else { throw Malformed("an entry stands below what is no folder") }
        } else {
            guard node.path.isEmpty, (node.content == .folder) == (kind == .filesystem) else {
                throw Malformed("it does not begin with the volume")
            }
        }
        switch node.content {
        case .folder: folders.append(node.path)
        case .file(_, _, let isShared): if isShared { shared.insert(node.path) }
        case .symlink: guard kind == .filesystem else { throw Malformed("an image cannot be a link") }
        case .link(let first): guard shared.contains(first) else { throw Malformed("a hard link leads to no file of the volume") }
        }
        last = node
        chunk = -1
    }

    func continues(_ path: [UInt8]) throws(Malformed) {
        guard let last, last.path == path, case .file = last.content else { throw Malformed("its chunks belong to no file") }
    }

    /// The file and the length of its chunk `index`.
    mutating func acceptChunk(_ index: Int64) throws(Malformed) -> (file: TreeNode, length: Int) {
        guard let last, case .file(let size, let chunkSize, _) = last.content, index > chunk,
            index < (size + Int64(chunkSize) - 1) / Int64(chunkSize)
        else { throw Malformed("its chunks belong to no file") }
        chunk = index
        return (last, Int(min(Int64(chunkSize), size - index * Int64(chunkSize))))
    }
}
