/// What happens in a run, as it happens: for the terminal, for `--json`, for embedders.
public struct RunEvent: Sendable {
    public enum Kind: Sendable {
        case runStarted(runbook: String, summary: String?)
        case actionStarted(ActionEvent)
        case actionFinished(ActionEvent, result: Value?, error: DRError?, duration: Duration, effects: [Effect], predicted: Bool)
        case log(String, path: [String])
        case warning(String)
        case undo(RunReport.Undo)
        /// It waits for people; `missing` says for whom. In a plan it is taken as passed.
        case gateOpened(GateEvent, missing: String)
        /// `by` is empty where it was refused.
        case gateClosed(GateEvent, by: [String], error: DRError?)
        case runFinished(RunReport)
    }

    public let run: RunID
    public let time: Instant
    /// True for what the journal answered instead of the world.
    public let replayed: Bool
    public let kind: Kind

    public init(run: RunID, time: Instant, replayed: Bool = false, kind: Kind) {
        self.run = run
        self.time = time
        self.replayed = replayed
        self.kind = kind
    }
}

public struct GateEvent: Sendable, Hashable {
    public let name: String
    public let message: String
    public let path: [String]
    public let key: String
    public let show: Value

    public init(name: String, message: String, path: [String], key: String, show: Value) {
        self.name = name
        self.message = message
        self.path = path
        self.key = key
        self.show = show
    }
}

public struct ActionEvent: Sendable, Hashable {
    public let action: String
    /// Steps and branches.
    public let path: [String]
    public let key: String
    /// Within `retry` and the tries of an undo: which one this is, from 1.
    public let attempt: Int
    public let input: Value

    public init(action: String, path: [String], key: String, attempt: Int, input: Value) {
        self.action = action
        self.path = path
        self.key = key
        self.attempt = attempt
        self.input = input
    }
}

/// How a run ended.
public struct RunReport: Sendable, Hashable {
    public struct Item: Sendable, Hashable, Codable {
        public enum State: String, Sendable, Codable {
            case moved, failed, skipped, unknown
            case notStarted = "not-started"
        }
        public let name: ApplicationName
        public let active_at: ClusterName?
        public let epoch: Epoch?
        public let state: State
        public let rpo: RecoveryPointObjective?
        public let rto: Duration?
        public let reason: String?
        /// What a person should do, or that nothing is to be done: `runsAgain`.
        public let next: String?
        public static let runsAgain = "it runs again where it was"
        /// Where it was before.
        public let from: ClusterName?
        /// What this run sent of it through the object store.
        public let bytes_sent: ByteCount?
        /// When every byte of the data made live was last read back and compared.
        public let verified_at: Instant?
        /// The point that was made live; in a plan `rp#1` where it does not exist yet.
        public let recovery_point: String?
        /// Its former cluster may still be running it: it was not seen stopped, and nobody said so. Nil where nothing was made live.
        public let split_brain_risk: Bool?
        /// Why its former cluster is taken not to run it any more; nil: there is a risk, or nobody knows.
        public let former: FormerSite?
        /// What was asked of it when it went live.
        public let targets: RecoveryTargets?
        /// The outage may have begun before `rto` counts from.
        public let rto_at_least: Bool?

        public init(
            name: ApplicationName, active_at: ClusterName?, epoch: Epoch?, state: State, rpo: RecoveryPointObjective?, rto: Duration?,
            reason: String?, next: String?, from: ClusterName? = nil, bytes_sent: ByteCount? = nil, verified_at: Instant? = nil,
            recovery_point: String? = nil, split_brain_risk: Bool? = nil, former: FormerSite? = nil, targets: RecoveryTargets? = nil,
            rto_at_least: Bool? = nil
        ) {
            self.former = former
            self.recovery_point = recovery_point
            self.split_brain_risk = split_brain_risk
            self.targets = targets
            self.rto_at_least = rto_at_least
            self.name = name
            self.active_at = active_at
            self.epoch = epoch
            self.state = state
            self.rpo = rpo
            self.rto = rto
            self.reason = reason
            self.next = next
            self.from = from
            self.bytes_sent = bytes_sent
            self.verified_at = verified_at
        }
    }

    /// What became of one entry of the undo ledger, or of a `finally`.
    public struct Undo: Sendable, Hashable, Codable {
        public enum State: String, Sendable, Codable {
            case undone
            /// It must not be: its application lives elsewhere by now.
            case skipped
            /// It was tried several times.
            case failed
            /// It was never tried: the run ended before.
            case owed
        }
        public let name: String
        public let application: ApplicationName?
        public let state: State
        public let reason: String?

        public init(name: String, application: ApplicationName?, state: State, reason: String?) {
            self.name = name
            self.application = application
            self.state = state
            self.reason = reason
        }
    }

    public let run: RunID
    public let outcome: RunOutcome
    public let error: DRError?
    public let rto: Duration?
    public let applications: [Item]
    /// All effects, by branch path in the order of their actions.
    public let effects: [Effect]
    /// In the order in which they were undone, then those that were not tried.
    public let undos: [Undo]
    /// It was put down and can be taken up again.
    public let isHeld: Bool
    /// Of a plan: where its times come from. `rto` and those of the applications are then predicted.
    public let planned: PlannedTime?
    /// Of a plan: what it assumed, and what it touched of clusters that it was to do without.
    public var notes: PlanNotes

    public init(
        run: RunID, outcome: RunOutcome, error: DRError?, rto: Duration?, applications: [Item], effects: [Effect], undos: [Undo] = [],
        isHeld: Bool = false, planned: PlannedTime? = nil, notes: PlanNotes = PlanNotes()
    ) {
        self.notes = notes
        self.planned = planned
        self.undos = undos
        self.isHeld = isHeld
        self.run = run
        self.outcome = outcome
        self.error = error
        self.rto = rto
        self.applications = applications
        self.effects = effects
    }
}
