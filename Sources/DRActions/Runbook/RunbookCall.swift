internal import DRModel
internal import DRSupport
internal import LuaBridge

/// What a file declared with `dr.runbook{...}`, and what the script holds of it.
struct DeclaredRunbook {
    let table: LuaTable
    let runbook: Runbook
    let function: LuaFunction
}

/// A runbook that is under way in a run: the one that was started, or one that another calls.
struct RunbookCall {
    /// Begins with the id of the call it stands in. Empty for the run's own runbook.
    let id: String
    let of: DeclaredRunbook
    let parameters: Value

    func contains(_ other: String) -> Bool { id.isEmpty || other == id || other.hasPrefix(id + "/") }
}

extension RunSession {
    private var caller: RunbookCall? { current?.calls.last }

    /// Checks a call of `dr.call`. Throws `invalid-input` where its parameters do not fit, `runbook` where it would call one that is under way.
    func beginCall(_ table: LuaValue, _ given: LuaValue, at location: SourceLocation) throws -> RunbookCall {
        guard let branch = current, let caller else { throw DRError(.runbook, "call may be used only inside run", location: location) }
        guard let found = declared.first(where: { $0.table == table.table }) else {
            throw DRError(
                .invalidInput, "call: expected a runbook, got \(table.isNil ? "nil" : "a \(table.typeName)")",
                hint: "local drain = require \"drain\" gives the one that drain.lua beside this file returns", location: location)
        }
        if let first = branch.calls.firstIndex(where: { $0.of.table == found.table }) {
            let names = branch.calls[first...].map(\.of.runbook.name) + [found.runbook.name]
            throw DRError(.runbook, "runbooks call each other: \(names.joined(separator: " -> "))", location: location, verb: "call")
        }
        let parameters: Value
        do {
            parameters = try found.runbook.values(from: given.isNil ? [:] : try Value(lua: given))
        } catch let error as DRError {
            let known = found.runbook.parameters.map(\.name)
            throw DRError(
                error.code, error.message,
                hint: "\(found.runbook.name) takes " + (known.isEmpty ? "no parameters" : known.joined(separator: ", ")),
                location: location, verb: "call")
        }
        callCount += 1
        let id = "\(callCount)"
        let call = RunbookCall(id: caller.id.isEmpty ? id : "\(caller.id)/\(id)", of: found, parameters: parameters)
        branch.calls.append(call)
        return call
    }

    func endCall() { _ = current?.calls.popLast() }

    /// The call that registers something for the run's end, which will need it again.
    func registering() -> String {
        guard let call = caller else { return "" }
        if calls[call.id] == nil { calls[call.id] = call }
        return call.id
    }

    /// Its parameters are those that `dr.params` tells, again: for what it registered for the run's end.
    func beginAgain(_ id: String) {
        if let call = calls[id] { current?.calls.append(call) }
    }

    /// Was it registered by the runbook that asks, or by one that it called?
    func belongs(_ id: String) -> Bool { caller?.contains(id) ?? true }
}

// What the Lua part of `dr` needs for runbooks that call each other.
extension HostLibrary {
    func installCalls(_ host: LuaTable) throws {
        try host.register("begin_call") { [unowned session] (call: LuaCall) in
            let begun = try session.beginCall(call[0], call[1], at: session.place(call.location))
            let table = try call.lua.table()
            try table.set("name", begun.of.runbook.name)
            try table.set("run", .function(begun.of.function))
            try table.set("parameters", try begun.parameters.lua(in: call.lua))
            if let ensures = begun.of.runbook.ensures { try table.set("ensures", try ensures.value.lua(in: call.lua)) }
            return [.table(table)]
        }
        try host.register("end_call") { [unowned session] (_: LuaCall) in
            session.endCall()
            return []
        }
        try host.register("calling") { [unowned session] (_: LuaCall) in [.text(session.registering())] }
        try host.register("again_in") { [unowned session] (call: LuaCall) in
            session.beginAgain(call[0].string ?? "")
            return []
        }
        try host.register("belongs") { [unowned session] (call: LuaCall) in [.boolean(session.belongs(call[0].string ?? ""))] }
        try host.register("params") { [unowned session] (call: LuaCall) in
            guard let parameters = session.current?.calls.last?.parameters else {
                throw DRError(.runbook, "params may be read only inside run", location: session.place(call.location))
            }
            return [try parameters.lua(in: call.lua)]
        }
        try host.register("running_as") { [unowned session] (_: LuaCall) in
            [.text(session.record.ledger.isDrill || session.current?.drills ?? 0 > 0 ? "drill" : "live")]
        }
    }
}
