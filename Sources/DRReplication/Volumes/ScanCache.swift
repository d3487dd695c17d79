internal import DRModel

/// What the last publication of a volume knew: its map, and by which marks each file can be known again without reading it.
///
/// `.dr/scan/VOLUME`. A cache: deleting it costs one full read.
struct ScanCache {
    private enum Frame: UInt8 { case header = 0, page = 1, end = 2 }

    /// The filesystem's time when the scan began.
    let began: Instant
    /// The record whose map this is.
    let record: String
    let recordHash: ContentHash
    private let path: StorePath
    private let io: any StoreIO

    static func path(_ volume: VolumeName, in cluster: StorePath) -> StorePath { cluster / ".dr" / "scan" / volume.text }
    // No volume's name begins with a dot.
    static func newPath(_ volume: VolumeName, in cluster: StorePath) -> StorePath { cluster / ".dr" / "scan" / (".new-" + volume.text) }

    /// Nil when there is none or when it is damaged. Reads all of it, to be sure before anything is built upon it.
    static func open(_ volume: VolumeName, of application: ApplicationName, in cluster: StorePath, io: any StoreIO) throws -> ScanCache? {
        let path = path(volume, in: cluster)
        guard try io.facts(path)?.kind == .file else { return nil }
        let file = try io.open(path, .read, permissions: 0)
        defer { try? file.close() }
        let frames = FrameReader(file)
        do {
            guard let first = try frames.next() else { return nil }
            var header = ByteReader(first)
            guard try header.number(UInt8.self) == Frame.header.rawValue, try header.number(UInt16.self) == 1 else { return nil }
            let began = Instant(nanosecondsSince1970: try header.number())
            guard try header.counted() == Array(application.text.utf8) else { return nil }
            var last: [UInt8] = []
            while let frame = try frames.next() { last = frame }
            var end = ByteReader(last)
            guard try end.number(UInt8.self) == Frame.end.rawValue else { return nil }
            let record = String(decoding: try end.counted(), as: UTF8.self)
            return ScanCache(began: began, record: record, recordHash: try end.hash(), path: path, io: io)
        } catch is Malformed { return nil }
    }

    /// Nothing can have changed since a file with these marks was read. A change in the same tick of the filesystem's clock as the scan would not show:
    /// such files are read again. Filesystems without fractions of a second get two seconds.
    func trusts(_ old: FileIdentity?, _ new: FileIdentity) -> Bool {
        guard let old, old == new else { return false }
        return old.changed < began - Self.granularity(of: old.changed)
    }

    static func granularity(of changed: Instant) -> Duration {
        changed.nanosecondsSince1970 % 1_000_000_000 == 0 ? .seconds(2) : .milliseconds(20)
    }

    func index() throws -> PriorIndex {
        let frames = FrameReader(try io.open(path, .read, permissions: 0))
        _ = try frames.next()
        return PriorIndex {
            guard let frame = try frames.next() else { return nil }
            var reader = ByteReader(frame)
            guard try reader.number(UInt8.self) == Frame.page.rawValue else { return nil }
            let content = try reader.counted()
            let page = try MapPage(content: content, places: try reader.counted())
            var identities: [FileIdentity?] = []
            for _ in 0..<(try reader.count(ofItems: 1)) {
                identities.append(try reader.number(UInt8.self) == 1 ? try FileIdentity(reading: &reader) : nil)
            }
            return PriorIndex.Page(page: page, identities: identities)
        }
    }

    // MARK: Writing the next one

    static func header(_ application: ApplicationName, began: Instant) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(Frame.header.rawValue)
        writer.put(UInt16(1))
        writer.put(began.nanosecondsSince1970)
        writer.put(counted: Array(application.text.utf8))
        return writer.bytes
    }

    static func frame(_ page: StoredPage, _ identities: [FileIdentity?]) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(Frame.page.rawValue)
        writer.put(counted: page.content)
        writer.put(counted: page.places)
        writer.put(UInt32(truncatingIfNeeded: identities.count))
        for identity in identities {
            writer.put(UInt8(identity == nil ? 0 : 1))
            identity?.write(to: &writer)
        }
        return writer.bytes
    }

    static func end(record: String, hash: ContentHash) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(Frame.end.rawValue)
        writer.put(counted: Array(record.utf8))
        writer.put(hash)
        return writer.bytes
    }
}
