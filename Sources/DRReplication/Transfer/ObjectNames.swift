internal import DRModel
internal import DRSupport

/// The publication that one operation makes, also when it is carried on after a crash: eight bytes of the SHA-256 of its key.
struct Session: Hashable, Sendable {
    let bytes: [UInt8]

    init(_ pack: PackID) { bytes = Array(pack.bytes.prefix(8)) }

    init(_ key: OperationKey) { bytes = Hex.bytes(String(Digest.hex(of: key.text).prefix(16))) ?? [] }

    init?(text: String) {
        guard let bytes = Hex.bytes(text), bytes.count == 8 else { return nil }
        self.bytes = bytes
    }

    var text: String { Hex.text(bytes) }
}

/// What the objects of an application are called, in a store and in a cluster's own copy alike.
struct ObjectNames: Sendable {
    let application: ApplicationName

    var all: String { "\(application)/" }
    var points: String { "\(application)/points/" }
    var packs: String { "\(application)/packs/" }
    var maps: String { "\(application)/maps/" }
    var tombs: String { "\(application)/tombs/" }
    var sweeps: String { "\(application)/sweeps/" }
    /// Says of an object that what stands under its name is damaged: whoever publishes counts it as missing.
    var doubts: String { "\(application)/doubts/" }
    func doubt(_ name: String) -> String { doubts + name.dropFirst(all.count) }
    func parseDoubt(_ name: String) -> String? { name.hasPrefix(doubts) ? all + name.dropFirst(doubts.count) : nil }
    var readers: String { "\(application)/readers/" }
    /// Says that a cluster brings points of the application in from the store.
    func reader(_ cluster: ClusterName) -> String { readers + cluster.text }
    func parseReader(_ name: String) -> String? { name.hasPrefix(readers) ? String(name.dropFirst(readers.count)) : nil }
    func points(_ id: PointID) -> String { "\(application)/points/\(id)/" }
    /// A later attempt at the same point stands beside the earlier one, and counts.
    func record(_ id: PointID, attempt: Int, session: Session) -> String { points(id) + "\(attempt)-\(session.text)" }
    func map(_ hash: ContentHash) -> String { "\(application)/maps/\(hash)" }
    func pack(_ id: PackID) -> String { "\(application)/packs/\(id)" }
    func packs(of session: Session) -> String { "\(application)/packs/\(session.text)" }

    func parsePack(_ name: String) -> PackID? {
        name.hasPrefix(packs) ? PackID(text: name.dropFirst(packs.count)) : nil
    }

    /// The parts of a record's name; nil for the name of anything else.
    func parseRecord(_ name: String) -> RecordName? {
        guard name.hasPrefix(points) else { return nil }
        let parts = name.dropFirst(points.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = try? PointID(String(parts[0])) else { return nil }
        let fields = parts[1].split(separator: "-", maxSplits: 1)
        guard fields.count == 2, let attempt = Int(fields[0]), (1...1 << 31).contains(attempt),
            let session = Session(text: String(fields[1]))
        else { return nil }
        return RecordName(name: name, id: id, attempt: attempt, session: session)
    }
}

struct RecordName {
    let name: String
    let id: PointID
    let attempt: Int
    let session: Session

    /// Epoch, generation and attempt, read from the name: enough to guess the newest record without fetching all.
    var age: [Int64] {
        let fields = id.text.split(separator: "-").suffix(2)
        guard fields.count == 2, let epoch = fields.first, let generation = fields.last, epoch.hasPrefix("e"), generation.hasPrefix("g"),
            let first = Int64(epoch.dropFirst()), let second = Int64(generation.dropFirst())
        else { return [0, 0, Int64(attempt)] }
        return [first, second, Int64(attempt)]
    }
}

/// Something stored is not what was written.
func damaged(_ object: String, in place: String, _ error: Malformed) -> DRError {
    if error.isNewer {
        return DRError(
            .damaged, "\(object) in \(place) cannot be read: \(error.what)", hint: "use the program that wrote it, or a later one")
    }
    return DRError(
        .damaged, "\(object) in \(place) is damaged: \(error.what)",
        hint: "use an earlier recovery point, or migrate again once the object is repaired or removed")
}
