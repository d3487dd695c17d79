internal import DRModel

/// What the last publication of a volume knew: its map, and by which marks each file and each chunk can be known again.
///
/// `.dr/scan/VOLUME`, a header of 4096 bytes and then the pages. A cache: deleting it costs one full read. It is not synced: header and pages carry
/// checksums, and one that was torn is not believed.
struct ScanCache {
    static let headerSize = 4096
    private static let magic: StaticString = "DRSCAN4\n"

    struct Header: Equatable {
        let application: ApplicationName
        /// The filesystem's time when the scan began.
        let began: Instant
        /// Of the volume when the scan began: what marks say is believed only on the same one.
        let mount: String
        /// When every byte was last read and compared by its SHA-256, by the host's clock.
        let looked: Instant
        let secret: MarkSecret
        /// The record whose map this is.
        let record: String
        let recordHash: ContentHash
        let kind: VolumeKind
        let pages: UInt32
        /// Where the file ends.
        let end: Int64

        /// What is made with its help builds upon that.
        var parent: (name: String, hash: ContentHash) { (record, recordHash) }
    }

    let header: Header
    private let path: StorePath
    private let io: any StoreIO

    static func path(_ volume: VolumeName, in cluster: StorePath) -> StorePath { cluster / ".dr" / "scan" / volume.text }
    // No volume's name begins with a dot.
    static func newPath(_ volume: VolumeName, in cluster: StorePath) -> StorePath { cluster / ".dr" / "scan" / (".new-" + volume.text) }

    /// Nil when there is none, when it is of another application or when its header is damaged.
    static func open(_ path: StorePath, of application: ApplicationName, io: any StoreIO) throws -> ScanCache? {
        guard try io.facts(path)?.kind == .file else { return nil }
        let file = try io.open(path, .read, permissions: 0)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: headerSize)
        let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
        guard count == headerSize, let header = try? parse(bytes), header.application == application,
            try file.facts().size == header.end
        else { return nil }
        return ScanCache(header: header, path: path, io: io)
    }

    private static func parse(_ bytes: [UInt8]) throws -> Header {
        var seal = ByteReader(bytes, from: headerSize - ChunkMark.size)
        let mark = unsafe bytes.withUnsafeBytes {
            unsafe ChunkMark(of: UnsafeRawBufferPointer(rebasing: $0[..<(headerSize - ChunkMark.size)]))
        }
        guard try ChunkMark(reading: &seal) == mark else { throw Malformed("its checksum is wrong") }
        var reader = ByteReader(bytes)
        try reader.expect(magic)
        let application = try ApplicationName(String(decoding: try reader.counted(), as: UTF8.self))
        let began = Instant(nanosecondsSince1970: try reader.number())
        let looked = Instant(nanosecondsSince1970: try reader.number())
        let mount = String(decoding: try reader.counted(), as: UTF8.self)
        let secret = try MarkSecret(reading: &reader)
        let record = String(decoding: try reader.counted(), as: UTF8.self)
        let hash = try reader.hash()
        let kind: VolumeKind = try reader.number(UInt8.self) == 1 ? .filesystem : .block
        return Header(
            application: application, began: began, mount: mount, looked: looked, secret: secret, record: record, recordHash: hash,
            kind: kind,
            pages: try reader.number(), end: try reader.number())
    }

    static func bytes(of header: Header) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(raw: magic.description.utf8)
        writer.put(counted: Array(header.application.text.utf8))
        writer.put(header.began.nanosecondsSince1970)
        writer.put(header.looked.nanosecondsSince1970)
        writer.put(counted: Array(header.mount.utf8))
        writer.put(raw: header.secret.bytes)
        writer.put(counted: Array(header.record.utf8))
        writer.put(header.recordHash)
        writer.put(UInt8(header.kind == .filesystem ? 1 : 2))
        writer.put(header.pages)
        writer.put(header.end)
        writer.put(raw: [UInt8](repeating: 0, count: max(0, headerSize - ChunkMark.size - writer.bytes.count)))
        let mark = unsafe writer.bytes.withUnsafeBytes { unsafe ChunkMark(of: $0) }
        mark.write(to: &writer)
        return writer.bytes
    }

    /// Marks are believed for a week; then everything is read and compared once.
    func isDue(_ now: Instant) -> Bool { now < header.looked || now - header.looked > .seconds(7 * 86_400) }

    /// Nothing can have changed since a file with these marks was read. A change in the same tick of the filesystem's clock as the scan would not show:
    /// such files are read again. Filesystems without fractions of a second get two seconds.
    func trusts(_ old: FileIdentity?, _ new: FileIdentity) -> Bool {
        guard let old, old == new else { return false }
        return old.changed < header.began - Self.granularity(of: old.changed)
    }

    static func granularity(of changed: Instant) -> Duration {
        changed.nanosecondsSince1970 % 1_000_000_000 == 0 ? .seconds(2) : .milliseconds(20)
    }

    /// Its pages, one after the other; nil after the last. Throws `Malformed` at one that is damaged.
    func pages() throws -> ScanCachePages { ScanCachePages(try io.open(path, .read, permissions: 0), header) }

    func index() throws -> PriorIndex {
        let pages = try pages()
        return PriorIndex { try pages.next().map { .cached($0) } }
    }
}

/// Reads the pages of a scan cache in order.
final class ScanCachePages {
    private let file: any StoreFile
    private let header: ScanCache.Header
    private var offset = Int64(ScanCache.headerSize)
    private var number: UInt32 = 0
    private var buffer: [UInt8] = []
    private var start: Int64 = 0

    init(_ file: any StoreFile, _ header: ScanCache.Header) {
        self.file = file
        self.header = header
    }

    func next() throws -> CachedPage? {
        guard number < header.pages else { return nil }
        let frame = ByteWriter.frameHeader
        var length = ByteReader(try bytes(offset, frame))
        let size = Int(try length.number(UInt32.self))
        let mark = try ChunkMark(reading: &length)
        guard size <= 1 << 28, offset + Int64(frame + size) <= header.end else { throw Malformed("it ends too early") }
        let payload = try bytes(offset + Int64(frame), size)
        guard unsafe payload.withUnsafeBytes({ unsafe ChunkMark(of: $0) }) == mark else { throw Malformed("its checksum is wrong") }
        defer {
            number += 1
            offset += Int64(frame + size)
        }
        return try CachedPage(payload, number: Int(number))
    }

    private func bytes(_ from: Int64, _ count: Int) throws -> [UInt8] {
        if from < start || from + Int64(count) > start + Int64(buffer.count) {
            var more = [UInt8](repeating: 0, count: max(count, 1 << 18))
            let read = try unsafe more.withUnsafeMutableBytes { try unsafe file.read(at: from, into: $0) }
            guard read >= count else { throw Malformed("it ends too early") }
            more.removeLast(more.count - read)
            buffer = more
            start = from
        }
        return Array(buffer[Int(from - start)..<Int(from - start) + count])
    }
}

/// Writes the next cache; it counts once the header is there.
final class ScanCacheWriter {
    private var file: (any StoreFile)?
    private var buffer: [UInt8] = []
    private var offset = Int64(ScanCache.headerSize)
    private(set) var pages: UInt32 = 0
    /// Why there will be no cache: that costs a full read next time, and the point nothing.
    private(set) var failure: IOFailure?

    init(_ open: () throws -> any StoreFile) throws {
        do { file = try open() } catch let error as IOFailure { failure = error }
    }

    func write(_ page: CachedPage) throws {
        guard file != nil else { return }
        pages += 1
        var writer = ByteWriter()
        writer.put(UInt32(truncatingIfNeeded: page.payload.count))
        unsafe page.payload.withUnsafeBytes { unsafe ChunkMark(of: $0) }.write(to: &writer)
        buffer += writer.bytes
        buffer += page.payload
        if buffer.count >= 1 << 20 { try flush() }
    }

    func finish(_ header: (_ pages: UInt32, _ end: Int64) -> ScanCache.Header) throws {
        try flush()
        if let failure { throw failure }
        try unsafe ScanCache.bytes(of: header(pages, offset)).withUnsafeBytes { try unsafe file?.write(at: 0, $0) }
        try file?.close()
    }

    private func flush() throws {
        do { try unsafe buffer.withUnsafeBytes { try unsafe file?.write(at: offset, $0) } } catch let error as IOFailure {
            (failure, file) = (error, nil)
        }
        offset += Int64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}

extension ByteWriter {
    /// A length and a mark.
    static let frameHeader = 4 + ChunkMark.size
}
