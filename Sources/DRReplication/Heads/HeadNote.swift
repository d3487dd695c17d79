internal import DRModel

/// What is known of a head: `.dr/heads/APP/VOLUME/note`, sealed as a record is.
///
/// A note that is torn, damaged or of a later format says what one that is missing says: nothing.
enum HeadNote: Equatable {
    /// It is being changed, or somebody died at it: nobody knows what it holds.
    case applying
    case clean(Clean)

    struct Clean: Equatable {
        /// What it was made equal to.
        var volume: PointRecord.Volume
        /// When every byte was last read and compared, or was written and read back since.
        var verified: Instant
        /// The mount it was written on; what is on another one may have been changed by anybody.
        var mount: String
        /// Of the names, marks and metadata of everything in it, as they were when the note was written.
        var facts: ContentHash
    }

    func bytes() -> [UInt8] {
        var body: [String: Value] = ["format": 1]
        if case .clean(let clean) = self {
            let volume = clean.volume.volume
            body["volume"] = [
                "name": .string(volume.name.text), "kind": .string(volume.kind.rawValue), "content": .string(volume.content.text),
                "size": .integer(volume.size.bytes), "index": .string(clean.volume.index.hex),
            ]
            body["verified"] = .integer(clean.verified.nanosecondsSince1970)
            body["mount"] = .string(clean.mount)
            body["facts"] = .string(clean.facts.hex)
        }
        let text = Value.map(body).json()
        let sealed: Value = ["body": .map(body), "sha256": .string(ContentHash(of: Array(text.utf8)).hex)]
        return Array((sealed.json() + "\n").utf8)
    }

    /// Nil for what says nothing.
    init?(_ bytes: [UInt8]) {
        guard let sealed = try? Value(json: String(decoding: bytes, as: UTF8.self)), case let body = sealed["body"],
            sealed["sha256"].string == ContentHash(of: Array(body.json().utf8)).hex, body["format"].integer == 1
        else { return nil }
        guard !body["volume"].isNull else {
            self = .applying
            return
        }
        let volume = body["volume"]
        guard let name = volume["name"].string.flatMap({ try? VolumeName($0) }),
            let kind = volume["kind"].string.flatMap(VolumeKind.init(rawValue:)), let content = volume["content"].string,
            let size = volume["size"].integer, let index = volume["index"].string.flatMap(ContentHash.init(hex:)),
            let verified = body["verified"].integer, let mount = body["mount"].string,
            let facts = body["facts"].string.flatMap(ContentHash.init(hex:))
        else { return nil }
        self = .clean(
            Clean(
                volume: PointRecord.Volume(
                    volume: PointVolume(name: name, kind: kind, content: ContentToken(content), size: ByteCount(size)), index: index),
                verified: Instant(nanosecondsSince1970: verified), mount: mount, facts: facts))
    }
}
