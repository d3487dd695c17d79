/// A record that was taken from elsewhere though nobody had signed how it ends.
public struct UnsignedTaking: Sendable, Codable, Hashable {
    /// The account that said so.
    public let who: String
    public let reason: String
    /// How many of the run's records nobody vouches for.
    public let records: Int64

    public init(who: String, reason: String, records: Int64) {
        self.who = who
        self.reason = reason
        self.records = records
    }

    /// As reports and `verify` say it.
    public var text: String {
        "the first \(records) records were taken though nobody had signed them, by \(who): \(reason); no signature vouches for what they say"
    }

    /// The last time that is said in a run's record; nil where it never was.
    public static func recorded(in records: [JournalRecord]) -> UnsignedTaking? {
        records.last { $0.entry.kind == .resumed && $0.entry.payload["unsigned"].map != nil }.flatMap {
            try? $0.entry.payload["unsigned"].decoded(as: UnsignedTaking.self)
        }
    }
}
