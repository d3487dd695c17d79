internal import DRActions
internal import DRModel
internal import DRSimulation
internal import DRSupport
internal import LuaBridge

/// A test's file in a Lua state of its own. Each case gets one, so that none sees what another left behind.
final class TestFile {
    struct Case {
        let name: String
        let function: LuaFunction
        let location: SourceLocation?
    }

    let lua: Lua
    let context: CaseContext
    private(set) var cases: [Case] = []
    private let sim: LuaTable

    /// Reads the file and what it requires. Throws what is wrong with it, `runbook` with file and line.
    init(_ sources: RunbookSources, _ context: CaseContext) throws {
        lua = Lua(limits: LuaLimits(memory: 64 << 20, processorTime: .seconds(10), output: 1 << 20), seed: 0)
        self.context = context
        let runs = RunTables()
        let t = try lua.table()
        sim = try SimLibrary(context: context, runs: runs).table(in: lua)
        try Expectations(context: context, runs: runs).install(in: t)
        var found: [Case] = []
        try t.register("case") { (call: LuaCall) in
            let place = SourceLocation(call.location)
            guard let name = call[0].string, !name.isEmpty, let function = call[1].function else {
                throw DRError(
                    .runbook, "t.case: expected its name and a function", hint: "t.case(\"...\", function(sim) ... end)", location: place)
            }
            guard !found.contains(where: { $0.name == name }) else {
                throw DRError(.runbook, "t.case: there are two cases \"\(name)\"", location: place)
            }
            found.append(Case(name: name, function: function, location: place))
            return []
        }
        try NamedFields.watch(t, in: lua, as: "t", names: Expectations.names)
        try NamedFields.watch(sim, in: lua, as: "sim", names: SimLibrary.names)
        try lua.register(module: "dr.test", .table(t))
        try lua.globals.set("dr", .table(try Self.absentVerbs(lua)))
        lua.modules = { name in
            let module = try sources.module(named: name, library: "dr.test")
            return LuaModule(source: module.text, chunkName: module.file)
        }
        do {
            try lua.load(sources.main.text, name: sources.main.file).call()
        } catch {
            let error = DRError(script: error)
            throw error.code == .script ? DRError(.runbook, error.message, hint: error.hint, location: error.location) : error
        }
        cases = found
    }

    // Tests run runbooks, and are none: said instead of "attempt to index a nil value".
    private static func absentVerbs(_ lua: Lua) throws -> LuaTable {
        let verbs = try lua.table()
        let raise = try lua.function("absent") { (call: LuaCall) in
            throw DRError(
                .runbook, "dr.\(call[1].string ?? "") belongs into a runbook, and this is a test",
                hint: "local t = require \"dr.test\"; sim:run(\"RUNBOOK.lua\") runs a runbook", location: SourceLocation(call.location))
        }
        try NamedFields.set(raise, of: verbs, in: lua)
        return verbs
    }

    /// Nil: it passed.
    func run(_ index: Int) async -> DRError? {
        do {
            _ = try await lua.run(cases[index].function, [.table(sim)])
            return context.leftovers()?.at(cases[index].location)
        } catch let error as LuaError {
            let known = DRError(script: error)
            // What was to go wrong and did not, or a gate that nobody came to, is often why the rest is not as expected.
            let idle = context.current?.runs.isEmpty == false ? context.idleFault() ?? context.idleVoice() : nil
            return DRError(
                known.code, known.message + (idle.map { "; and \($0.message)" } ?? ""), hint: known.hint ?? idle?.hint,
                location: known.location ?? cases[index].location)
        } catch {
            return error as? DRError ?? DRError(.internal, "\(error)")
        }
    }
}
