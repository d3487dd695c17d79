internal import DRModel

/// What was appended to a run and is not durable yet: it becomes so with one commit, in its order.
///
/// Bounded, so that neither a script that asks for much before it waits nor many branches at once make a commit that is too large.
struct RecordGroup {
    static let mostEntries = 256
    /// Of payloads, about.
    static let mostBytes = 1 << 20

    private(set) var entries: [TimedEntry] = []
    private var bytes = 0

    var isEmpty: Bool { entries.isEmpty }
    /// It must not grow any more.
    var isFull: Bool { entries.count >= Self.mostEntries || bytes >= Self.mostBytes }

    mutating func add(_ entry: JournalEntry, at time: Instant) {
        entries.append(TimedEntry(entry, at: time))
        bytes += Self.size(of: entry.payload)
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes = 0
    }

    private static func size(of value: Value) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .list(let items): items.reduce(2) { $0 + size(of: $1) }
        case .map(let members): members.reduce(2) { $0 + $1.key.utf8.count + size(of: $1.value) }
        default: 8
        }
    }
}
