internal import DRModel

/// Which packs of an own copy were read back whole and compared, and when: `.dr/copies/APP/verified`.
///
/// That a pack exists says nothing; that it stands here says that it was sound at that time. Lost, everything is read once more.
struct Verified {
    /// How long a pack counts as sound without being read again.
    static let window = Duration.seconds(7 * 86_400)

    private(set) var packs: [PackID: Instant] = [:]
    private let path: StorePath
    private let io: any StoreIO

    init(_ copy: OwnCopy) throws {
        path = copy.home / "verified"
        io = copy.io
        guard try io.facts(path)?.kind == .file else { return }
        let file = try io.open(path, .read, permissions: 0)
        defer { try? file.close() }
        let frames = FrameReader(file)
        var found: [PackID: Instant] = [:]
        do {
            while let frame = try frames.next() {
                var reader = ByteReader(frame)
                while !reader.isAtEnd {
                    let pack = PackID(raw: try reader.raw(PackID.size))
                    found[pack] = Instant(nanosecondsSince1970: try reader.number())
                }
            }
            packs = found
        } catch is Malformed { packs = [:] }
    }

    func isSound(_ pack: PackID, now: Instant) -> Bool {
        guard let instant = packs[pack] else { return false }
        return instant <= now && now - instant <= Self.window
    }

    mutating func note(_ pack: PackID, _ now: Instant) { packs[pack] = now }
    mutating func drop(_ pack: PackID) { packs[pack] = nil }

    /// Not synced: what is lost is read again.
    func write() throws {
        let new = StorePath(bytes: path.bytes + Array(".new".utf8))
        try io.removeTree(new)
        let file = try io.open(new, .create, permissions: 0o600)
        let frames = FrameWriter(file)
        var writer = ByteWriter()
        for (pack, instant) in packs.sorted(by: { $0.key < $1.key }) {
            writer.put(raw: pack.bytes)
            writer.put(instant.nanosecondsSince1970)
            if writer.bytes.count >= 1 << 16 {
                try frames.write(writer.bytes)
                writer = ByteWriter()
            }
        }
        if !writer.bytes.isEmpty { try frames.write(writer.bytes) }
        try frames.finish()
        try file.close()
        try io.rename(new, path, .replace)
    }
}
