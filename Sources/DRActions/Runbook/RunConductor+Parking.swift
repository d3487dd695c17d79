internal import DRModel
internal import DRSupport

/// Gates and windows: what a run waits for without anything being under way.
extension RunConductor {
    func canBegin(_ pending: PendingAction) -> Bool { pending.action.parking == nil || world.predicted }

    /// A plan names each gate once, when it comes to it.
    func tellPlannedGate(_ pending: PendingAction) {
        guard world.predicted, case .gate? = pending.action.parking else { return }
        record.tell(.gateOpened(record.gateEvent(pending.intent), missing: "taken as passed"))
    }

    /// Takes what people said, and lets through who may pass. True: something was answered.
    func passParked(_ now: Instant) throws -> Bool {
        guard !world.predicted else { return false }
        let waiting = try world.control?.approvals(for: record.run) ?? WaitingApprovals()
        for problem in waiting.setAside { record.tell(.warning(problem.description)) }
        for (_, approval) in waiting.taken { try record.approval(approval) }
        let isAnswered = try decideParked(now)
        // Last: whoever left one and finds it gone looks at what came of it.
        if !waiting.taken.isEmpty { try record.flush() }
        for (token, _) in waiting.taken { try world.control?.recorded(token, for: record.run) }
        return isAnswered
    }

    private func decideParked(_ now: Instant) throws -> Bool {
        for pending in session.waiting {
            switch pending.action.parking {
            case .gate?:
                let (event, decision) = try record.decide(pending, world.approvals, now: now)
                switch decision {
                case .open: continue
                case .passed(let answer):
                    record.tell(.gateClosed(event, by: answer["by"].list?.compactMap(\.string) ?? [], error: nil))
                    try settle(pending, .success(answer))
                case .refused(let error):
                    record.tell(.gateClosed(event, by: [], error: error))
                    try settle(pending, .failure(error))
                }
                return true
            case .window(let window)?:
                switch window.state(at: now) {
                case .closed: continue
                case .open(let answer): try settle(pending, .success(answer))
                case .over(let time): try settle(pending, .failure(DRError(.gateTimeout, "the window closed at \(time)")))
                }
                return true
            case nil: continue
            }
        }
        return false
    }

    /// People have waited: what goes live after that may be older than they thought. Then the run is put down as it is. What is
    /// undone makes nothing live, and waits for nobody's word on it.
    ///
    /// What was asked for since is not written before: it may never begin, and whoever finds it written has to ask whether it did.
    func lookAtAge() async throws {
        guard session.canBeCancelled, let tooOld = world.tooOld else { return }
        let onTheWay = session.waiting.filter { $0.action.name == "start" && launched.contains($0.intent.key) }
        let settled =
            try record.ledger.liveOrder + onTheWay.compactMap { try $0.action.input["application"].string.map { try ApplicationName($0) } }
        if let reason = try await tooOld(Set(settled), record.unwritten) {
            stopping = StopRequest(.aged, who: "the plan", reason: reason)
        }
    }

    func settle(_ pending: PendingAction, _ result: Result<Value, DRError>) throws {
        let outcome = ActionOutcome(result: result, effects: [], duration: world.clock.now() - pending.begun, points: points.unrecorded)
        try answer(pending, outcome)
    }

    /// Until when gates that are waited for keep the run's locks. Nil: it stands at none.
    func gateEnd(from now: Instant) -> Instant? {
        session.waiting.filter { if case .gate? = $0.action.parking { true } else { false } }.map { $0.keepsLocks(from: now) }.max()
    }

    /// Nothing is under way, and all that is waited for are people or times: the run is left until somebody takes it up.
    func park(_ now: Instant) async throws -> RunReport? {
        guard !world.predicted, !session.waiting.isEmpty, session.waiting.allSatisfy({ $0.action.parking != nil }) else { return nil }
        var questions: [String] = []
        var hint: String?
        var details: [String: Value] = [:]
        var (kept, isAtWindow): (Instant, Bool) = (now, false)
        for pending in session.waiting {
            switch pending.action.parking {
            case .gate?:
                let (event, decision) = try record.decide(pending, world.approvals, now: now)
                guard case .open(let missing) = decision else { continue }
                record.tell(.gateOpened(event, missing: missing))
                // In one line: no line of it can be taken for one of the command's.
                questions.append(
                    "gate \(event.name) waits for \(missing): \(event.message.inOneLine)")
                hint = hint ?? "drrunbook approve \(record.run) \(event.name)"
                details["gate"] = .string(event.name)
                kept = max(kept, pending.keepsLocks(from: now))
            case .window(let window)?:
                guard case .closed(let time) = window.state(at: now) else { continue }
                isAtWindow = true
                questions.append("the window opens at \(time)")
                hint = hint ?? "drrunbook resume \(record.run)"
                details["opens"] = .instant(time)
            case nil: continue
            }
        }
        if isAtWindow { await locks.release(at: session.formerPlaces) } else { await locks.keep(at: session.formerPlaces, until: kept) }
        return try record.wait(for: DRError(.waiting, questions.joined(separator: "; "), hint: hint, details: .map(details)))
    }
}
