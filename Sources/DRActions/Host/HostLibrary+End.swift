internal import DRModel
internal import DRSupport
internal import LuaBridge

// What the Lua part of `dr` needs for the end of a run: the undo ledger, `finally`, deadlines.
extension HostLibrary {
    func installEnd(_ host: LuaTable) throws {
        try host.register("begin_undo") { [unowned session] (_: LuaCall) in
            session.beginUndo()
            return []
        }
        try host.register("end_undo") { [unowned session] (_: LuaCall) in
            session.endUndo()
            return []
        }
        try host.register("cancelled") { [unowned session] (_: LuaCall) in
            [.boolean(session.ending?.cancellation != nil)]
        }
        try host.register("owe") { [unowned session] (call: LuaCall) in
            let cluster = try call[2].string.map { try ClusterName($0) }
            let application = try call[1].string.map { try ApplicationName($0) }
            let entry = PlanNotes.Compensation(
                name: call[0].shown, application: application, cluster: cluster, restarts: call[3].boolean == true)
            return [.integer(session.owe(entry))]
        }
        try host.register("pay") { [unowned session] (call: LuaCall) in
            let number = call[1].integer
            session.pay(call[0].shown, number, live: try call[2].string.map { try ApplicationName($0) })
            return []
        }
        try host.register("forgive") { [unowned session] (call: LuaCall) in
            session.forgive(call[0].shown, call[1].integer, at: session.place(call.location))
            return []
        }
        try host.register("add_final") { [unowned session] (_: LuaCall) in
            session.addFinal()
            return []
        }
        // What an undo says of itself: the application and the cluster, both known.
        try host.register("check_undo") { [unowned session] (call: LuaCall) in
            let location = session.place(call.location)
            let surroundings = ParameterSurroundings(inventory: session.inventory)
            do {
                if let application = call[0].string { _ = try ApplicationReference(parameter: .string(application), in: surroundings) }
                guard let cluster = call[1].string else { return [.text(location.description)] }
                _ = try ClusterReference(parameter: .string(cluster), in: surroundings)
                guard call[0].string != nil else {
                    throw DRError(.invalidInput, "while_active_at says where an application must be: field \"application\" is missing")
                }
            } catch let error as DRError {
                throw error.inVerb("undo").at(location)
            }
            return [.text(location.description)]
        }
        try host.register("live_at") { [unowned session] (call: LuaCall) in
            let name = try ApplicationName(call[0].string ?? "")
            return [session.record.ledger.liveAt(name).map { .text($0.text) } ?? .nil]
        }
        try host.register("source") { [unowned session] (call: LuaCall) in
            guard let pair = try session.inventory.pair(PairName(call[0].string ?? "")) else { return [.nil] }
            return [.text((call[1].boolean == true ? pair.destination : pair.source).text)]
        }
        try host.register("note_undo") { [unowned session] (call: LuaCall) in
            let application = try call[1].string.map { try ApplicationName($0) }
            let state = RunReport.Undo.State(rawValue: call[2].string ?? "") ?? .failed
            let undo = RunReport.Undo(name: call[0].shown, application: application, state: state, reason: call[3].string)
            try uncatchable { try session.note(undo) }
            return []
        }
        try host.register("results") { [unowned session] (call: LuaCall) in
            let value = try Value(lua: call[0])
            guard value.map != nil else {
                throw DRError(
                    .invalidInput, "results: expected a table of names, got \(value.kind)", location: session.place(call.location))
            }
            try uncatchable { try session.results(value) }
            return []
        }
        try host.register("previous") { [unowned session] (call: LuaCall) in
            let (runbook, outcome) = (call[0].string, call[1].string)
            if let outcome, RunOutcome(rawValue: outcome) == nil {
                let known = RunOutcome.allCases.map(\.rawValue)
                throw DRError(
                    .invalidInput, "previous: there is no outcome \"\(outcome)\"\(Spelling.hint(for: outcome, in: known))",
                    hint: "outcomes: \(known.joined(separator: ", "))", location: session.place(call.location))
            }
            let answer = try uncatchable { try session.input("previous") { try session.record.previous(runbook ?? session.file, outcome) } }
            return [try answer.lua(in: call.lua)]
        }
        try host.register("live_order") { [unowned session] (call: LuaCall) in
            [.table(try call.lua.table(session.record.ledger.liveOrder.map { .text($0.text) }))]
        }
        try host.register("cloned_at") { [unowned session] (call: LuaCall) in
            let ledger = session.record.ledger
            guard ledger.isDrill, let cluster = call[0].string.flatMap({ try? ApplicationName($0) }).flatMap(ledger.liveAt) else {
                return [.nil]  // no drill, or nothing of this run
            }
            return [.text(cluster.text)]
        }
        try host.register("begin_deadline") { [unowned session] (call: LuaCall) in
            let surroundings = ParameterSurroundings(inventory: Inventory())
            let what = call[1].shown
            let limit: Duration
            do {
                limit = try Duration(parameter: try Value(lua: call[0]), in: surroundings)
            } catch let error as DRError {
                throw DRError(.invalidInput, "\(what): field \"deadline\": \(error.message)", hint: error.hint)
                    .at(session.place(call.location))
            }
            try uncatchable { try session.beginDeadline(limit, of: what) }
            return []
        }
        try host.register("end_deadline") { [unowned session] (_: LuaCall) in
            session.endDeadline()
            return []
        }
    }
}

extension RunSession {
    /// Its number among all that were registered.
    func owe(_ entry: PlanNotes.Compensation) -> Int {
        owed.append(entry.name)
        return record.ledger.owe(entry)
    }

    func pay(_ name: String, _ number: Int?, live: ApplicationName?) {
        if let index = owed.lastIndex(of: name) { owed.remove(at: index) }
        if let number { record.ledger.pay(number, live: live) }
    }

    func forgive(_ name: String, _ number: Int?, at location: SourceLocation) {
        if let index = owed.lastIndex(of: name) { owed.remove(at: index) }
        if let number { record.ledger.forgive(number, at: location) }
    }
}
