internal import DRModel

/// The pages that make up one volume of one point. Its name is the SHA-256 of its bytes.
struct VolumeIndex: Equatable {
    struct Entry: Equatable {
        let content: ContentHash
        let page: ContentHash
    }

    let kind: VolumeKind
    let entries: [Entry]

    /// Names the volume's content wherever its chunks are stored: equal tokens, equal trees.
    var token: ContentToken {
        var writer = ByteWriter()
        writer.put(raw: "DRTREE1\n".utf8)
        writer.put(Self.number(kind))
        for entry in entries { writer.put(entry.content) }
        return ContentToken(ContentHash(of: writer.bytes).hex)
    }

    func object() -> [UInt8] {
        var writer = ByteWriter()
        writer.put(raw: "DRINDEX1".utf8)
        writer.put(UInt16(1))
        writer.put(Self.number(kind))
        writer.put(UInt8(0))
        writer.put(UInt32(truncatingIfNeeded: entries.count))
        for entry in entries {
            writer.put(entry.content)
            writer.put(entry.page)
        }
        return writer.bytes
    }

    init(kind: VolumeKind, entries: [Entry]) {
        self.kind = kind
        self.entries = entries
    }

    init(parsing object: [UInt8], name: ContentHash) throws(Malformed) {
        guard ContentHash(of: object) == name else { throw Malformed("its checksum is wrong") }
        var reader = ByteReader(object)
        try reader.expect("DRINDEX1")
        guard try reader.number(UInt16.self) == 1, let kind = Self.kind(try reader.number()), try reader.number(UInt8.self) == 0 else {
            throw Malformed("its version or kind is not known here")
        }
        self.kind = kind
        var entries: [Entry] = []
        for _ in 0..<(try reader.count(ofItems: 2 * ContentHash.size)) {
            let content = try reader.hash()
            entries.append(Entry(content: content, page: try reader.hash()))
        }
        self.entries = entries
    }

    private static func number(_ kind: VolumeKind) -> UInt8 { kind == .filesystem ? 1 : 2 }
    private static func kind(_ number: UInt8) -> VolumeKind? {
        switch number {
        case 1: .filesystem
        case 2: .block
        default: nil
        }
    }
}
