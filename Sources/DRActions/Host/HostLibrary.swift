internal import DRModel
internal import DRSupport
internal import LuaBridge

/// What the host gives to the Lua part of `dr`: the few functions everything else is made of.
struct HostLibrary {
    let session: RunSession

    /// Loads prelude and flows, and makes `dr` a global and a module.
    func install() throws {
        let lua = session.lua
        let host = try lua.table()
        try installVerbs(host)
        try installFacts(host)
        try installErrors(host)
        try installEnd(host)
        try installCalls(host)
        let loaded = try lua.load(Prelude.captured + Prelude.text, name: Prelude.name, trusted: true).call([.table(host)])
        guard let dr = loaded.first?.table, let library = loaded.last?.table, loaded.count == 2 else {
            throw DRError(.internal, "the prelude returned no library")
        }
        let surroundings: [LuaValue] = [.table(dr), .table(host), .table(library)]
        try lua.load(Prelude.captured + RunEnd.text, name: RunEnd.name, trusted: true).call(surroundings)
        try lua.load(Prelude.captured + Move.text, name: Move.name, trusted: true).call(surroundings)
        session.closing = try library.get("close").function
        for flow in session.registry.flows {
            let name = flow.spec.name
            let body = try lua.load(Prelude.captured + flow.body, name: "=dr.\(name)", trusted: true).call(surroundings).first ?? .nil
            guard let define = try library.get("flow").function else { throw DRError(.internal, "the prelude defines no flows") }
            try define.call([.text(name), body])
        }
        if session.record.isPlan {
            try installAssumptions(host)
            try lua.load(Prelude.captured + Assumptions.text, name: Assumptions.name, trusted: true).call(surroundings)
        }
        // A tail call (`return dr.failover{...}`) would leave no line behind for messages.
        for (name, value) in try dr.pairs() {
            if let function = value.function { try dr.set(name, .function(lua.entry(function))) }
        }
        try lua.globals.set("dr", .table(dr))
        try lua.register(module: "dr", .table(dr))
    }

    // Closures live as long as the Lua state, which the session owns: they must not own the session.
    private func installVerbs(_ host: LuaTable) throws {
        try host.set(
            "actions", .table(session.lua.table(session.registry.actions.filter { !$0.spec.isInternal }.map { .text($0.spec.name) })))
        try host.suspending("perform") { [unowned session] call -> HostRequest in
            try session.request(call[0].string ?? "", call[1], isAnswered: true, at: session.place(call.location))
        }
        // The same where nobody looks at the answer: some hundred tables of a thousand applications need not be made.
        try host.suspending("order") { [unowned session] call -> HostRequest in
            try session.request(call[0].string ?? "", call[1], isAnswered: false, at: session.place(call.location))
        }
        try host.register("expect_run") { [unowned session] (call: LuaCall) in
            guard session.isRunning else {
                throw DRError(
                    .runbook, "verbs may be called only inside run", location: session.place(call.location), verb: call[0].string)
            }
            return []
        }
        try host.suspending("fork") { [unowned session] call -> HostRequest in
            let limit = call[1].integer.map { Int(clamping: $0) }
            return try session.fork(
                try call[0].table?.elements().compactMap(\.function) ?? [], limit: limit, at: session.place(call.location))
        }
        try host.register("prepare") { [unowned session] (call: LuaCall) in
            let name = call[0].string ?? ""
            do {
                let surroundings = ParameterSurroundings(inventory: session.inventory)
                return [try session.registry.prepareFlow(name, try Value(lua: call[1]), in: surroundings).lua(in: call.lua)]
            } catch let error as DRError {
                throw error.inVerb(name).at(session.place(call.location))
            }
        }
        try host.register("declare") { [unowned session] (call: LuaCall) in
            guard let table = call[0].table else {
                throw DRError(.runbook, "expected one table of fields", location: session.place(call.location), verb: "runbook")
            }
            try session.declare(table, at: session.place(call.location))
            return [.table(table)]
        }
        try host.register("waves") { [unowned session] (call: LuaCall) in
            let order = try ItemOrder(items: try Value(lua: call[0]), after: try Value(lua: call[1]), inventory: session.inventory)
            let waves = try order.waves.map { wave in LuaValue.table(try call.lua.table(wave.map { .text($0) })) }
            return [
                .table(try call.lua.table(waves)), try Value.map(order.needs.mapValues { .list($0.map(Value.string)) }).lua(in: call.lua),
            ]
        }
        try host.register("enter") { [unowned session] (call: LuaCall) in
            session.enter(call[0].shown)
            return []
        }
        try host.register("begin_flow") { [unowned session] (call: LuaCall) in
            try session.beginFlow(call[0].shown, at: session.place(call.location))
            return []
        }
        try host.register("end_flow") { [unowned session] (call: LuaCall) in
            session.endFlow(call[0].shown)
            return []
        }
        try host.register("begin_repeat") { [unowned session] (call: LuaCall) in
            session.beginRepeat(call[0].shown, attempt: call[1].integer ?? 1)
            return []
        }
        try host.register("begin_drill") { [unowned session] (_: LuaCall) in
            session.beginDrill()
            return []
        }
        try host.register("end_drill") { [unowned session] (_: LuaCall) in
            session.endDrill()
            return []
        }
        try host.register("end_repeat") { [unowned session] (_: LuaCall) in
            session.endRepeat()
            return []
        }
        try host.register("leave") { [unowned session] (_: LuaCall) in
            session.leave()
            return []
        }
    }

    private func installFacts(_ host: LuaTable) throws {
        try host.register("now") { [unowned session] (call: LuaCall) in
            let answer = try uncatchable { try session.input("now") { .instant(session.record.now()) } }
            return [try answer.lua(in: call.lua)]
        }
        try host.register("started") { [unowned session] (call: LuaCall) in
            [try Value.instant(session.record.ledger.started).lua(in: call.lua)]
        }
        try host.register("random") { [unowned session] (call: LuaCall) in
            let isNew = !session.record.isReplaying
            let answer = try uncatchable { try session.input("random") { .number(session.record.random()) } }
            if isNew, session.record.isPlan { session.assume("random", answer.json(), at: session.place(call.location)) }
            return [try answer.lua(in: call.lua)]
        }
        try host.register("log") { [unowned session] (call: LuaCall) in
            let text = call[0].shown
            try call.lua.spendOutput(text.utf8.count)
            try uncatchable { try session.log(text) }
            return []
        }
        try host.register("secret") { [unowned session] (call: LuaCall) in
            guard let name = call[0].string else { throw DRError(.invalidInput, "secret: expected its name, got \(call[0].typeName)") }
            do {
                return [try call.lua.value(of: SecretObject(name: try session.secret(name)))]
            } catch let error as DRError {
                throw error.inVerb("secret").at(session.place(call.location))
            }
        }
        try host.register("time") { (call: LuaCall) in
            let surroundings = ParameterSurroundings(inventory: Inventory())
            return [try Value.instant(TimeReference(parameter: try Value(lua: call[0]), in: surroundings).instant).lua(in: call.lua)]
        }
        try host.register("duration") { [unowned session] (call: LuaCall) in
            let surroundings = ParameterSurroundings(inventory: Inventory())
            do {
                return [try Value.duration(Duration(parameter: try Value(lua: call[0]), in: surroundings)).lua(in: call.lua)]
            } catch let error as DRError {
                guard let what = call[1].string else { throw error }
                throw DRError(error.code, "\(what): \(error.message)", hint: error.hint, location: session.place(call.location))
            }
        }
        try host.register("json_encode") { (call: LuaCall) in [.text(try Value(lua: call[0]).json(.plain))] }
        try host.register("json_decode") { (call: LuaCall) in
            guard let text = call[0].string else { throw DRError(.invalidInput, "json.decode: expected a string, got \(call[0].typeName)") }
            return [try Value(json: text).lua(in: call.lua)]
        }
        try host.set("json_null", try session.lua.value(of: LuaNull()))
    }

    private func installErrors(_ host: LuaTable) throws {
        try host.register("raise") { [unowned session] (call: LuaCall) in
            throw DRError(
                ErrorCode(rawValue: call[0].string ?? "") ?? .script, call[1].shown, hint: call[2].string,
                location: session.place(call.location))
        }
        try host.register("raise_unknown") { [unowned session] (call: LuaCall) in
            let names = try call[2].table?.elements().compactMap(\.string) ?? []
            let name = call[1].string ?? ""
            throw DRError(
                .invalidInput, "\(call[0].string ?? ""): unknown field \"\(name)\"\(Spelling.hint(for: name, in: names))",
                hint: "fields: " + names.joined(separator: ", "), location: session.place(call.location))
        }
        try host.set("codes", .table(session.lua.table(ErrorCode.allCases.map { .text($0.rawValue) })))
        try host.register("choose") { [unowned session] (call: LuaCall) in
            let names = try call[2].table?.elements().compactMap(\.string) ?? []
            guard let name = call[1].string, names.contains(name) else {
                throw DRError(
                    .invalidInput,
                    "\(call[0].shown): there is no \(call[1].string.map { "\"\($0)\"" } ?? call[1].shown)"
                        + Spelling.hint(for: call[1].string ?? "", in: names),
                    hint: "known: " + names.joined(separator: ", "), location: session.place(call.location))
            }
            return []
        }
        let known = Reference(session.registry).names
        try host.register("raise_unknown_verb") { [unowned session] (call: LuaCall) in
            let name = call[0].string ?? ""
            let location = session.place(call.location)
            throw DRError(
                .runbook, "there is no dr.\(name)\(Spelling.hint(for: name, in: known))", hint: "`drrunbook explain` lists the verbs",
                location: location)
        }
    }
}

/// A journal that cannot be written, or a history that does not fit, ends the run: no script catches it.
func uncatchable<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch {
        throw LuaStop(error)
    }
}

extension LuaValue {
    /// Text of a script's as people and terminals get it: what is no UTF-8 is replaced, and so are control characters but line end and tab.
    var shown: String {
        guard let bytes else { return string ?? "" }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.unicodeScalars.contains(where: \.isControl)
            ? String(String.UnicodeScalarView(text.unicodeScalars.map(\.visible))) : text
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { properties.generalCategory == .control && self != "\n" && self != "\t" }
    fileprivate var visible: Unicode.Scalar { isControl ? "\u{FFFD}" : self }
}
