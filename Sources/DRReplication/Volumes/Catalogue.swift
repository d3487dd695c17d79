internal import DRModel

/// What a capture wrote down of one volume: its entries as they were at that moment, and which files it copied.
///
///     .dr/staging/KEY.capture/N/VOLUME/catalogue    this
///     .dr/staging/KEY.capture/N/VOLUME/scan         the scan cache that it names pages of
///     .dr/staging/KEY.capture/N/VOLUME/N            the bytes of the file that was copied as number N
enum CatalogueFrame {
    case entry(CatalogueEntry)
    /// Everything that page of the cache holds is as it was.
    case same(page: Int)
    /// The chunks before the first entry of that page are as they were.
    case head(page: Int)
    /// These entries of that page are as they were, with all that they hold. The last one of a page is never among them: it may go on in the next.
    case kept(page: Int, entries: Range<Int>)

    func bytes() -> [UInt8] {
        var writer = ByteWriter(room: 256)
        switch self {
        case .entry(let entry):
            writer.put(UInt8(0))
            entry.node.write(to: &writer)
            entry.identity.write(to: &writer)
            writer.put(entry.copy ?? .max)
            writer.put(UInt8(entry.isClone ? 1 : 0))
            writer.put(UInt32(truncatingIfNeeded: entry.changed?.count ?? -1))
            for range in entry.changed ?? [] {
                writer.put(range.lowerBound)
                writer.put(range.upperBound)
            }
        case .same(let page):
            writer.put(UInt8(1))
            writer.put(UInt32(truncatingIfNeeded: page))
        case .head(let page):
            writer.put(UInt8(2))
            writer.put(UInt32(truncatingIfNeeded: page))
        case .kept(let page, let entries):
            writer.put(UInt8(3))
            for number in [page, entries.lowerBound, entries.upperBound] { writer.put(UInt32(truncatingIfNeeded: number)) }
        }
        return writer.bytes
    }

    init(_ frame: [UInt8]) throws(Malformed) {
        var reader = ByteReader(frame)
        switch try reader.number(UInt8.self) {
        case 0:
            let node = try TreeNode(reading: &reader)
            let identity = try FileIdentity(reading: &reader)
            let copy: UInt32 = try reader.number()
            let isClone = try reader.number(UInt8.self) == 1
            let count: UInt32 = try reader.number()
            var changed: [Range<Int64>]?
            if count != .max {
                var ranges: [Range<Int64>] = []
                for _ in 0..<count {
                    let (start, end): (Int64, Int64) = (try reader.number(), try reader.number())
                    guard start <= end else { throw Malformed("a range is wrong") }
                    ranges.append(start..<end)
                }
                changed = ranges
            }
            self = .entry(
                CatalogueEntry(node: node, identity: identity, copy: copy == .max ? nil : copy, isClone: isClone, changed: changed))
        case 1: self = .same(page: Int(try reader.number(UInt32.self)))
        case 2: self = .head(page: Int(try reader.number(UInt32.self)))
        case 3:
            let page = Int(try reader.number(UInt32.self))
            let (start, end) = (Int(try reader.number(UInt32.self)), Int(try reader.number(UInt32.self)))
            guard start < end else { throw Malformed("a range of entries is wrong") }
            self = .kept(page: page, entries: start..<end)
        default: throw Malformed("an entry is of no known kind")
        }
    }
}

struct CatalogueEntry {
    let node: TreeNode
    let identity: FileIdentity
    /// The number of the copy; nil: the bytes are in the live volume.
    let copy: UInt32?
    /// The copy shares its blocks with the live file.
    let isClone: Bool
    /// Where the copy may differ from what the scan cache knows, when the filesystem told.
    let changed: [Range<Int64>]?
}

final class CatalogueReader {
    let kind: VolumeKind
    /// The filesystem's time when the capture began.
    let began: Instant
    /// Of the volume, then.
    let mount: String
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
            mount = String(decoding: try header.counted(), as: UTF8.self)
        } catch let error as Malformed { throw DRError(.internal, "\(path): \(error.what)") }
    }

    func next() throws -> CatalogueFrame? {
        do {
            return try frames.next().map { frame in try CatalogueFrame(frame) }
        } catch let error as Malformed { throw DRError(.internal, "\(path): \(error.what)") }
    }

    static func header(_ kind: VolumeKind, began: Instant, mount: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt8(kind == .filesystem ? 1 : 2))
        writer.put(began.nanosecondsSince1970)
        writer.put(counted: Array(mount.utf8))
        return writer.bytes
    }
}
