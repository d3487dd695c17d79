public import DRModel

/// What a run's record says, put in order for people and programs: from the record alone, so it is the same whenever it is made.
public struct RunEvidence: Sendable {
    public struct Action: Sendable, Hashable {
        public let verb: String
        public let path: [String]
        public let key: String
        public let input: Value
        public let begun: Instant
        /// Nil: it has no outcome.
        public let ended: Instant?
        /// Asked for and not carried out, because the run was put down or its script was left.
        public let isDropped: Bool
        /// It only looks, or waits for a time, and was under way when the run was put down or its script was left: it changed nothing.
        public let isUnfinished: Bool
        public let error: DRError?
        public let effects: [Effect]
        public let result: Value

        /// What a person said became of it.
        var settled: String? { result["settled"].string ?? error?.details?["settled"].string }

        /// `ledger > stop ledger`.
        public var title: String {
            let subjects =
                input["application"].string.map { [$0] } ?? input["applications"].list?.compactMap(\.string) ?? input["name"].string.map {
                    [$0]
                }
                ?? []
            return (path.filter { !subjects.contains($0) } + [([verb] + subjects).joined(separator: " ")]).joined(separator: " > ")
        }
    }

    /// What one check found, and when it was asked.
    public struct Checked: Sendable, Hashable {
        public let asked: Instant
        public let path: [String]
        public let result: CheckResult
        /// Something of the run was made live before.
        public let isAfter: Bool
    }

    public struct GateRecord: Sendable, Hashable {
        public let name: String
        public let message: String
        public let show: Value
        public let opened: Instant
        public let closed: Instant?
        public let error: DRError?
        public let answer: Value
        public let said: [Said]

        /// Who passed it, and how each was identified: what the run's record says of the passing, not who else spoke.
        public var counted: [String] {
            let keys = answer["identity"].list?.map { $0.string ?? "unverified" } ?? []
            return (answer["by"].list ?? []).enumerated().map { index, name in
                let key = index < keys.count ? keys[index] : "unverified"
                return "\(name.string ?? "?") (\(key == "unverified" ? key : "key \(key)"))"
            }
        }

        /// It made the difference: for the passing, or, being a rejection, against it.
        public func counts(_ said: Said) -> Bool {
            let statement = said.approval.statement
            guard let closed, said.time <= closed else { return false }
            if statement.decision == .reject { return error?.code == .rejected && error?.details?["by"].string == statement.person }
            return answer["by"].list?.contains { $0.string == statement.person } == true
        }

        public struct Said: Sendable, Hashable {
            public let approval: Approval
            public let time: Instant
        }
    }

    /// Somebody's signature of the head, where the host that made this signs.
    public var signature: String?
    /// Why what it says of its gates is not believed, where the host that made this found something.
    public var doubt: String?
    /// What of the record was taken though nobody had signed it: as it says itself, or as the host that made this knows.
    public var unsigned: UnsignedTaking?
    public let header: RunHeader
    public let records: [JournalRecord]
    public let actions: [Action]
    /// Of each asking in its order.
    public let checks: [Checked]
    public let gates: [GateRecord]
    public let undos: [RunReport.Undo]
    public let applications: [RunReport.Item]
    public let outcome: RunOutcome?
    public let error: DRError?
    public let finished: Instant?
    public let results: Value

    /// Throws `journal-damaged` where a record cannot be read.
    public init(header: RunHeader, records: [JournalRecord]) throws {
        self.header = header
        self.records = records
        unsigned = UnsignedTaking.recorded(in: records)
        do {
            var outcomes: [String: JournalRecord] = [:]
            for record in records where record.entry.kind == .outcome { outcomes[record.entry.key] = record }
            let (dropped, unfinished) = (records.dropped, records.unfinished)
            var actions: [Action] = []
            var gates: [GateRecord] = []
            let said = try records.filter { $0.entry.kind == .approval }.map {
                GateRecord.Said(approval: try $0.entry.payload.decoded(as: Approval.self), time: $0.time)
            }
            for record in records where record.entry.kind == .intent {
                let entry = record.entry, outcome = outcomes[record.entry.key], payload = outcome?.entry.payload ?? .null
                let error = payload["error"].isNull ? nil : try payload["error"].decoded(as: DRError.self)
                if entry.verb == "approve" {
                    gates.append(
                        GateRecord(
                            name: entry.payload["name"].string ?? "", message: entry.payload["message"].string ?? "",
                            show: entry.payload["show"], opened: record.time, closed: outcome?.time, error: error,
                            answer: payload["result"],
                            said: said.filter { $0.approval.statement.place == entry.key }))
                }
                actions.append(
                    Action(
                        verb: entry.verb, path: entry.path, key: entry.key, input: entry.payload, begun: record.time, ended: outcome?.time,
                        isDropped: dropped.contains(entry.key), isUnfinished: unfinished.contains(entry.key), error: error,
                        effects: payload["effects"].isNull ? [] : try payload["effects"].decoded(as: [Effect].self),
                        result: payload["result"]))
            }
            self.actions = actions
            checks = try Self.checks(actions)
            self.gates = gates
            undos = try records.filter { $0.entry.kind == .note && $0.entry.verb == "undo" }.map {
                try $0.entry.payload.decoded(as: RunReport.Undo.self)
            }
            let end = records.last { $0.entry.kind == .finished }
            let held = records.putDown
            let payload = (held ?? end)?.entry.payload ?? .null
            applications = payload["applications"].isNull ? [] : try payload["applications"].decoded(as: [RunReport.Item].self)
            outcome = held != nil ? .stopped : payload["outcome"].string.flatMap(RunOutcome.init(rawValue:))
            error = payload["error"].isNull ? nil : try payload["error"].decoded(as: DRError.self)
            finished = end?.time
            results = payload["results"]
        } catch let error as DRError {
            throw error
        } catch {
            throw DRError(.journalDamaged, "the record of run \(header.id) cannot be read: \(error)")
        }
    }

    // Those that failed stand in the error.
    private static func checks(_ actions: [Action]) throws -> [Checked] {
        let live = actions.filter { $0.effects.contains { $0.verb == .activate } }.compactMap(\.ended).min()
        return try actions.filter { $0.verb == "checks" }.flatMap { action -> [Checked] in
            let found = action.result.list == nil ? action.error?.details ?? .null : action.result
            guard found.list != nil else { return [] }
            return try found.decoded(as: [CheckResult].self).map {
                Checked(asked: action.begun, path: action.path, result: $0, isAfter: live.map { $0 <= action.begun } ?? false)
            }
        }
    }

    public var effects: [Effect] { actions.flatMap(\.effects) }
    public var head: String { records.last?.hash ?? "" }
    public var settledCalls: [SettledCall] { records.settledCalls }

    // MARK: Time to recovery

    /// From the first disruption to the last application ready; in a disaster from when somebody said the outage began, or else from the start of the run.
    ///
    /// `detect` is what passed before the run began: none in a planned move, unknown in a disaster of which nobody said when it began. `waited` is what the run was not
    /// carried on for: put down, crashed, in need of a word on a lost answer, at a window.
    public struct Recovery: Sendable, Hashable {
        public let began: Instant
        public let ready: Instant
        public let detect: Duration?
        public let decide: Duration
        public let waited: Duration
        public let machine: Duration
        /// The outage may have begun before `began`.
        public var isAtLeast: Bool { detect == nil }
        /// The actions that each waited for the one before, up to the last one that was ready.
        public let critical: [Action]
    }

    /// Nil when nothing was made live.
    public var recovery: Recovery? {
        let starts = actions.filter {
            $0.verb == "start" && $0.error == nil && $0.ended != nil && $0.effects.contains { $0.verb == .activate }
        }
        guard let last = starts.max(by: { ($0.ended ?? $0.begun) < ($1.ended ?? $1.begun) }), let ready = last.ended else { return nil }
        let isDisaster = last.input["mode"].string == "disaster"
        var since: Instant?
        if case .instant(let told) = last.input["down_since"] { since = told }
        let (first, begun) = (actions.first { $0.verb == "stop" } ?? actions.first { $0.verb == "locate" } ?? last, header.started)
        let began = isDisaster ? since ?? begun : first.begun
        let detect: Duration? = isDisaster ? since.map { max(.zero, begun - $0) } : .zero
        let atGates = gates.compactMap { gate in gate.closed.map { (gate.opened, $0) } }
        let atWindows = actions.filter { $0.verb == "window" }.compactMap { window in window.ended.map { (window.begun, $0) } }
        // Until a run is taken up nothing of it goes on.
        let asleep = zip(records, records.dropFirst()).filter { $1.entry.kind == .resumed }.map { ($0.time, $1.time) }
        let decide = Self.time(of: atGates, from: began, to: ready)
        let waited = Self.time(of: atGates + atWindows + asleep, from: began, to: ready) - decide
        var critical = [last]
        while let current = critical.last, current.begun > began {
            let before = actions.filter { action in
                guard let ended = action.ended else { return false }
                return ended <= current.begun && action.begun >= began && action.key != current.key
            }.max { ($0.ended ?? $0.begun, $1.begun) < ($1.ended ?? $1.begun, $0.begun) }
            guard let before else { break }
            critical.append(before)
        }
        return Recovery(
            began: began, ready: ready, detect: detect, decide: decide, waited: waited,
            machine: ready - began - (detect ?? .zero) - decide - waited, critical: critical.reversed())
    }

    /// Of times that may lie side by side, each moment once.
    private static func time(of spans: [(Instant, Instant)], from began: Instant, to ready: Instant) -> Duration {
        var (sum, counted) = (Duration.zero, began)
        for (opened, closed) in spans.sorted(by: { $0.0 < $1.0 }) where closed > counted && opened < ready {
            sum += max(.zero, min(closed, ready) - max(opened, counted))
            counted = max(counted, min(closed, ready))
        }
        return sum
    }

    // MARK: What a person has to look into

    /// Gates that were passed by somebody alone, and that the run was given up, with the reasons.
    public var brokenGlass: [String] { gates.compactMap(Self.brokenGlass) + [abandoned].compactMap(\.self) }

    /// Who gave it up as it stood, and why.
    private var abandoned: String? {
        guard let end = records.last(where: { $0.entry.kind == .finished })?.entry.payload["abandoned"], !end.isNull else { return nil }
        return "it was given up as it stood by \(end["who"].string ?? "somebody"): \(end["reason"].string ?? "")"
    }

    private static func brokenGlass(_ gate: GateRecord) -> String? {
        gate.answer["break_glass"].string.map { reason in
            let who = gate.answer["by"].list?.compactMap(\.string).joined(separator: ", ") ?? "somebody"
            return "gate \(gate.name) was passed alone by \(who), breaking the glass: \(reason)"
        }
    }

    /// Why the application is taken not to run at its former site. A record of an older version says no more than what was asked for when it went live last.
    func formerSite(of item: RunReport.Item) -> FormerSite? {
        guard item.split_brain_risk == false else { return nil }
        if header.runningAs == .drill { return .drill }
        if let former = item.former { return former }
        let starts = actions.filter { action in
            action.verb == "start" && action.error == nil && action.input["application"].string == item.name.text
                && action.effects.contains { $0.verb == .activate }
        }
        guard let last = starts.last?.input else { return nil }
        guard last["mode"].string == "disaster" else { return .fenced }
        return last["source_fenced"].bool == true ? .said : nil
    }

    private func formerSiteToLookAt(_ item: RunReport.Item) -> String? {
        guard let from = item.from else { return nil }
        return switch formerSite(of: item) {
        case .said: "see that nothing of it runs at \(from) any more: somebody said so, and the run did not look"
        case .agent: "see that nothing of it runs at \(from) any more: the agent there had promised to stop it, and the run did not look"
        case .fenced, .drill, nil: nil
        }
    }

    /// Failed and skipped undos, applications that need a hand, broken glass, unverified approvals, older data that was allowed, calls that were left out or settled by
    /// hand.
    public var followUps: [String] {
        var list = [abandoned].compactMap(\.self)
        for item in applications {
            // Of an older version: it speaks of a site that the drill did not touch.
            if let next = item.next, next != RunReport.Item.runsAgain, header.runningAs != .drill || item.state != .moved {
                list.append("\(item.name): \(next)")
            }
            if let look = formerSiteToLookAt(item) { list.append("\(item.name): \(look)") }
        }
        for undo in undos where undo.state != .undone {
            list.append("not undone (\(undo.state.rawValue)): \(undo.name)" + (undo.reason.map { ": \($0)" } ?? ""))
        }
        for gate in gates {
            if let text = Self.brokenGlass(gate) { list.append(text) }
            for said in gate.said where said.approval.key == nil {
                list.append("gate \(gate.name): the identity of \(said.approval.identity) was not verified")
            }
        }
        if let unsigned { list.append(unsigned.text) }
        list += otherConfigurations
        list += olderData
        let settled = Dictionary(grouping: settledCalls, by: \.key)
        for action in actions {
            if action.result["skipped"].bool == true { list.append("left out: \(action.title)") }
            let said = settled[action.key] ?? []
            list += said.map { "settled by a person at \($0.time): \(action.title), \($0.text)" }
            // Older versions did not say whose word it was.
            if let word = action.settled, said.isEmpty { list.append("settled by a person as \(word): \(action.title)") }
            if action.ended == nil, !action.isDropped, !action.isUnfinished, action.verb != "approve", action.verb != "window" {
                list.append("no outcome recorded: \(action.title)")
            }
        }
        return list
    }
}
