internal import DRModel
internal import DRSupport

/// A record that is there but cannot be read.
struct DamagedRecord {
    let path: DocumentPath
    let error: DRError
}

/// What a folder of records holds.
struct Listed<Record> {
    var sound: [Record] = []
    var damaged: [DamagedRecord] = []

    /// One line each, for a person.
    var problems: [String] { damaged.map(\.error.message) }
}

/// The name of a recovery point, taken apart: `ledger-e1-g3`.
struct PointName: Hashable {
    let epoch: Epoch
    let generation: Int64

    // Beyond any real one, and far from overflow.
    private static let bound: Int64 = 1 << 50

    init(epoch: Epoch, generation: Int64) {
        self.epoch = epoch
        self.generation = generation
    }

    /// Nil for the name of anything else.
    init?(_ text: String, of application: ApplicationName) {
        let fields = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).suffix(2).map(Substring.init)
        guard fields.count == 2, let first = fields.first, let last = fields.last, first.hasPrefix("e"), last.hasPrefix("g"),
            let epoch = Int64(first.dropFirst()), let generation = Int64(last.dropFirst()), (1..<Self.bound).contains(epoch),
            (1..<Self.bound).contains(generation)
        else { return nil }
        self.init(epoch: Epoch(epoch), generation: generation)
        // Neither `+1` nor `01`.
        guard text == self.text(of: application) else { return nil }
    }

    func text(of application: ApplicationName) -> String { "\(application)-e\(epoch)-g\(generation)" }
}

/// A recovery point as it stands in a cluster's list of points: with the hash of its own canonical JSON, for what it says decides epochs and what is lost.
enum SealedPoint {
    static func value(of point: RecoveryPoint) throws -> Value {
        let body = try Value(encoding: point)
        return ["point": body, "sha256": .string(Digest.hex(of: body.json()))]
    }

    /// Throws a text that says what is wrong with it.
    static func point(in value: Value, named name: String, of application: ApplicationName) throws -> RecoveryPoint {
        let body = value["point"]
        guard let seal = value["sha256"].string, seal == Digest.hex(of: body.json()) else {
            throw DRError(.damaged, "its content and its hash do not fit")
        }
        let point = try body.decoded(as: RecoveryPoint.self)
        guard point.id.text == name, point.application == application,
            PointName(epoch: point.epoch, generation: point.generation).text(of: application) == name
        else { throw DRError(.damaged, "it describes another point") }
        return point
    }
}

extension Listed<RecoveryPoint> {
    /// Of the damaged ones as well: a name alone proves that the epoch was reached.
    func names(of application: ApplicationName) -> [PointName] {
        sound.map { PointName(epoch: $0.epoch, generation: $0.generation) }
            + damaged.compactMap { PointName($0.path.lastName, of: application) }
    }
}
