/// What a person said became of a call outside whose answer was lost, as the record of its run holds it.
public struct SettledCall: Sendable, Hashable {
    public let key: String
    /// `done`, or `not-done`: then it was made again where somebody still waited for it.
    public let word: String
    /// The account it was said from; nil in records of older versions.
    public let who: String?
    public let time: Instant
    /// How they know; nil: they did not say.
    public let reason: String?

    /// `0/7/1/do as done by alice@db-host: seen in the log`.
    public var text: String {
        "\(key) as \(word) by \(who ?? "somebody")\(reason.map { ": \($0)" } ?? ", who gave no reason")"
    }
}

extension [JournalRecord] {
    /// What people said of lost calls, in the order of the record.
    public var settledCalls: [SettledCall] {
        filter { $0.entry.kind == .resumed }.flatMap { record in
            (record.entry.payload["settled"].map ?? [:]).sorted { $0.key < $1.key }.map { key, word in
                SettledCall(
                    key: key, word: word.string ?? "?", who: record.entry.payload["who"].string, time: record.time,
                    reason: record.entry.payload["reason"].string)
            }
        }
    }
}
