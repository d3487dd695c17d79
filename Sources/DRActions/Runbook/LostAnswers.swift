internal import DRModel

/// The calls outside that were under way when the host died: of those nobody can say by looking at a cluster whether they happened.
struct LostAnswers {
    /// What to ask a person; while there is something, nothing goes on.
    private(set) var question: DRError?
    /// What is recorded as the answer instead of making the call again.
    private(set) var answers: [(PendingAction, ActionOutcome)] = []

    /// `waiting`: actions whose intent history holds and whose outcome it does not. Throws `not-found` when something else was settled.
    /// `points`: the run's names, of which every outcome carries what no record holds yet. `undoes`: the run is taken up to be undone.
    /// `isLeft`: the script does not wait for them any more.
    init(
        _ waiting: [PendingAction], settled: Settlements, run: RunID, points: PointSymbols, runningAs: RunningAs, undoes: Bool,
        isLeft: Bool
    ) throws {
        let command = undoes ? "drrunbook stop \(run) --undo" : "drrunbook resume \(run)"
        func outcome(_ pending: PendingAction, _ result: Result<Value, DRError>) -> ActionOutcome {
            ActionOutcome(result: result, effects: [Self.effect(pending.intent)], duration: .zero, points: points.unrecorded)
        }
        let lost = waiting.filter { if case .unknown = $0.recovery(runningAs) { true } else { false } }
        for key in settled.words.keys.sorted() where !lost.contains(where: { $0.intent.key == key }) {
            throw DRError(
                .notFound, "run \(run) does not wait to hear of \(key)",
                hint: lost.isEmpty ? "no answer of it is lost" : "lost: " + lost.map(\.intent.key).joined(separator: ", "))
        }
        var open: [PendingAction] = []
        for pending in waiting {
            switch pending.recovery(runningAs) {
            case .again: continue
            case .goesOn(let answer): answers.append((pending, outcome(pending, .success(answer))))
            case .unknown:
                switch settled[pending.intent.key] {
                // It is made again, unless its script is left (`unmade`).
                case .notDone: continue
                case .done: answers.append((pending, outcome(pending, .success(["settled": "done"]))))
                // A script that is left asks no more.
                case nil where pending.intent.payload["verify"].isFunction && !undoes && !isLeft:
                    answers.append((pending, outcome(pending, .failure(Self.error([pending], command)))))
                case nil: open.append(pending)
                }
            }
        }
        if !open.isEmpty { question = Self.error(open, command) }
    }

    /// The answer to a call that a person said was not made, where nobody makes it again.
    static let unmade = DRError(
        .stopped, "it was not made, and nobody waits for it any more",
        details: ["settled": .string(Settlement.notDone.rawValue)])

    // It may have happened: it counts as what the run did.
    private static func effect(_ intent: JournalEntry) -> Effect {
        let input = intent.payload
        if let argv = input["argv"].list { return Effect(calling: intent.verb, argv.first?.string ?? "") }
        if let url = input["url"].string {
            return Effect(calling: input["method"].string ?? intent.verb, String(url.prefix { $0 != "?" && $0 != "#" }))
        }
        return Effect(calling: intent.verb, input["to"].string ?? "")
    }

    private static func error(_ lost: [PendingAction], _ command: String) -> DRError {
        let texts = lost.map { "\(effect($0.intent).text.dropFirst("call ".count)) (\($0.intent.key))" }
        return DRError(
            .unknownOutcome,
            "the host was interrupted during \(texts.joined(separator: ", ")): nobody knows whether \(lost.count == 1 ? "it" : "each") happened",
            hint: "find out, then: \(command)"
                + lost.map { " --settle \($0.intent.key)=done|not-done" }.joined()
                + " --reason \"how you know\"",
            location: lost.first?.location, verb: lost.first?.action.name,
            details: ["keys": .list(lost.map { .string($0.intent.key) })])
    }
}

extension PendingAction {
    /// What a drill leaves out cannot have happened: it is left out again.
    func recovery(_ runningAs: RunningAs) -> Recovery {
        let isSkipped = (isInDrill || runningAs == .drill) && intent.payload["in_drill"].string != "run"
        if isSkipped, case .unknown = action.recovery { return .again }
        return action.recovery
    }

    /// Why its intent must stand at a cluster before it is begun; nil where it need not.
    func occasion(_ runningAs: RunningAs) -> MirrorOccasion? {
        switch action.effect {
        case .observes: return nil
        case .changes: return .change(action.input)
        case .outside:
            if case .again = recovery(runningAs) { return nil }
            return .outside
        }
    }

    /// Without a copy it is not begun. What puts something back does not wait for one, nor does a word to people.
    var waitsForCopy: Bool {
        if action.name == "restart" || branch.undos > 0 { return false }
        if case .goesOn = action.recovery { return false }
        return true
    }
}
