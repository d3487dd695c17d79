internal import DRModel
internal import LuaBridge

// What the Lua part of `dr` needs in plans: see `Assumptions`.
extension HostLibrary {
    func installAssumptions(_ host: LuaTable) throws {
        let lua = session.lua
        try host.set("math", try lua.globals.get("math"))
        let estimates = try lua.table()
        for type in session.registry.verbs where !type.spec.estimates.isEmpty {
            let fields = try lua.table()
            for field in type.spec.estimates { try fields.set(.text(field), true) }
            try estimates.set(.text(type.spec.name), .table(fields))
        }
        try host.set("estimates", .table(estimates))
        // What the journal answered is known.
        try host.register("answers_predicted") { [unowned session] (_: LuaCall) in [.boolean(session.current?.isAnswerPredicted ?? false)] }
        try host.register("replays") { [unowned session] (_: LuaCall) in [.boolean(session.record.isReplaying)] }
        try host.register("moment") { [unowned session] (call: LuaCall) in
            guard call[0].boolean != true, let branch = session.current else { return [.integer(0)] }
            return [.integer(session.record.ledger.mark(branch.id, at: session.record.now()))]
        }
        try host.register("later") { [unowned session] (call: LuaCall) in
            [.integer(session.record.ledger.later(call[0].integer ?? 0, call[1].integer ?? 0))]
        }
        try host.register("took") { [unowned session] (call: LuaCall) in
            guard case .instant(let since) = try Value(lua: call[2]) else { throw DRError(.internal, "a move without a beginning") }
            let (time, isKnown) = session.record.ledger.took(from: call[0].integer ?? 0, to: call[1].integer ?? 0, since: since)
            return [try Value.duration(time).lua(in: call.lua), .boolean(isKnown)]
        }
        try host.register("assume") { [unowned session] (call: LuaCall) in
            session.assume(call[0].shown, call[1].shown, at: session.place(call.location))
            return []
        }
    }
}

extension RunSession {
    /// The runbook looked at what only a run can know.
    func assume(_ what: String, _ value: String, at location: SourceLocation) {
        let shown = value.count > 100 ? "\(value.prefix(100))..." : value
        record.ledger.assume(PlanNotes.Assumption(location: location, what: what, value: shown))
    }
}
