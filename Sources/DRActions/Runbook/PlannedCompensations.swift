internal import DRModel

/// The undo ledger as a plan has seen it: everything that was registered, also what was struck later, for a run may fail before that.
///
/// What the plan itself has undone stands among its actions and is left out.
struct PlannedCompensations: Sendable {
    private var entries: [PlanNotes.Compensation?] = []
    /// Numbers by application, so that what goes live does not look through what belongs to all others.
    private var numbers: [ApplicationName: [Int]] = [:]

    /// Its number.
    mutating func add(_ entry: PlanNotes.Compensation) -> Int {
        if let application = entry.application { numbers[application, default: []].append(entries.count) }
        entries.append(entry)
        return entries.count - 1
    }

    /// `until` says what it waits for no longer; nil: it was carried out.
    mutating func strike(_ number: Int, until: String?) {
        guard entries.indices.contains(number) else { return }
        guard let until else {
            entries[number] = nil
            return
        }
        if entries[number]?.until == nil { entries[number]?.until = until }
    }

    /// An application went live: what does not say that it must be live there is not undone any more.
    mutating func strike(application: ApplicationName, liveAt cluster: ClusterName, until: String) {
        for number in numbers[application] ?? [] where entries[number]?.cluster != cluster { strike(number, until: until) }
    }

    /// The last registered first.
    var inOrder: [PlanNotes.Compensation] { entries.reversed().compactMap { $0 } }
}
