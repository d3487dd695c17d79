/// What must hold of every run, whatever goes wrong in it.
public enum Invariant: String, Sendable, CaseIterable {
    /// Never two live writers, and no epoch that falls.
    case oneWriter = "one-writer"
    /// Nothing older than its target goes live unless somebody accepted it; a planned move loses nothing.
    case dataLoss = "data-loss"
    /// Every action that was begun has an outcome.
    case outcomes = "outcomes"
    /// `succeeded` means that what the runbook ensures holds, or else what holds after a run without faults.
    case endState = "end-state"
    /// Nothing is live without what it depends on.
    case dependencies
    /// In disaster mode nothing of the source is touched.
    case sourceUntouched = "source-untouched"
    /// A schedule that was suspended goes on again, or the report says that it does not.
    case schedules
    /// A call outside that must not be made twice is not.
    case outsideOnce = "outside-once"
    /// What a failed run began is taken back, or the report lists it.
    case undo
    /// A drill leaves nothing behind.
    case drill
    /// People are asked before the point of no return, not after.
    case gate
    /// An interrupted run can be carried on.
    case resumable
    /// Without any fault the runbook succeeds.
    case faultFree = "fault-free"
}

/// A schedule in which an invariant does not hold: the shortest that was found.
public struct Finding: Sendable {
    public let invariant: Invariant
    public let message: String
    /// `explore --seed` with this gives the same run again.
    public let seed: Int64
    /// The faults, in order; empty = without any.
    public let schedule: [String]
    public let timeline: [String]
    /// 16 hex digits over all that happened.
    public let trace: String
}

/// What came of an exploration.
public struct Exploration: Sendable {
    public let findings: [Finding]
    /// How many schedules were run.
    public let schedules: Int
    /// Of how many there are with so many faults; more than `schedules` when the limit was reached.
    public let known: Int
    /// What was assumed of the world.
    public let notes: [String]
}
