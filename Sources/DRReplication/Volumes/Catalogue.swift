internal import DRModel

/// What a capture wrote down of one volume: its entries as they were at that moment, and which files it copied.
///
///     .dr/staging/KEY.capture/VOLUME/catalogue    this
///     .dr/staging/KEY.capture/VOLUME/N            the bytes of the file that was copied as number N
struct CatalogueEntry {
    let node: TreeNode
    /// Of files with bytes of their own.
    let identity: FileIdentity?
    /// The number of the copy; nil: the bytes are in the live volume.
    let copy: UInt32?

    func frame() -> [UInt8] {
        var writer = ByteWriter()
        node.write(to: &writer)
        writer.put(UInt8(identity == nil ? 0 : 1))
        identity?.write(to: &writer)
        writer.put(copy ?? .max)
        return writer.bytes
    }

    init(node: TreeNode, identity: FileIdentity?, copy: UInt32?) {
        self.node = node
        self.identity = identity
        self.copy = copy
    }

    init(frame: [UInt8]) throws(Malformed) {
        var reader = ByteReader(frame)
        node = try TreeNode(reading: &reader)
        identity = try reader.number(UInt8.self) == 1 ? try FileIdentity(reading: &reader) : nil
        let number: UInt32 = try reader.number()
        copy = number == .max ? nil : number
    }
}

final class CatalogueReader {
    let kind: VolumeKind
    /// The filesystem's time when the capture began.
    let began: Instant
    private let frames: FrameReader
    private let path: StorePath

    init(_ folder: StorePath, io: any StoreIO) throws {
        path = folder / "catalogue"
        frames = FrameReader(try io.open(path, .read, permissions: 0))
        do {
            guard let first = try frames.next() else { throw Malformed("it is empty") }
            var header = ByteReader(first)
            kind = try header.number(UInt8.self) == 1 ? .filesystem : .block
            began = Instant(nanosecondsSince1970: try header.number())
        } catch let error as Malformed { throw DRError(.internal, "\(path): \(error.what)") }
    }

    func next() throws -> CatalogueEntry? {
        do {
            return try frames.next().map { frame in try CatalogueEntry(frame: frame) }
        } catch let error as Malformed { throw DRError(.internal, "\(path): \(error.what)") }
    }

    static func header(_ kind: VolumeKind, began: Instant) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt8(kind == .filesystem ? 1 : 2))
        writer.put(began.nanosecondsSince1970)
        return writer.bytes
    }
}
