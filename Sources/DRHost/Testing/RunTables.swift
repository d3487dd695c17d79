internal import DRActions
internal import DRModel
internal import DRSimulation
internal import LuaBridge

/// Runs as the script of a test holds them: a table of facts, and behind it the run.
final class RunTables {
    private var known: [LuaTable: SimulatedRun] = [:]

    func isRun(_ table: LuaTable) -> Bool { known[table] != nil }

    /// Throws `invalid-input` for anything else.
    func run(_ value: LuaValue) throws -> SimulatedRun {
        guard let table = value.table, let run = known[table] else {
            throw DRError(.invalidInput, "expected what sim:run returned, got a \(value.typeName)")
        }
        return run
    }

    func table(of run: SimulatedRun, gates: [OpenGate], in lua: Lua) throws -> LuaTable {
        let report = run.report
        var facts: [String: Value] = [
            "id": .string(run.id?.text ?? ""), "outcome": .string(run.outcome), "rto": report?.rto.map(Value.duration) ?? .null,
            "effects": .list(run.effects.map { .string($0.text) }), "log": .list(run.logs.map(Value.string)),
            "gates": .list(gates.map { .string($0.name) }),
            "undos": .list((report?.undos ?? []).map { ["name": .string($0.name), "state": .string($0.state.rawValue)] }),
        ]
        if let error = report?.error {
            facts["error"] = ["code": .string(error.code.rawValue), "message": .string(error.message)]
        }
        var applications: [String: Value] = [:]
        for item in report?.applications ?? [] {
            applications[item.name.text] = [
                "active_at": item.active_at.map { .string($0.text) } ?? .null, "state": .string(item.state.rawValue),
                "rto": item.rto.map(Value.duration) ?? .null, "next": item.next.map(Value.string) ?? .null,
            ]
        }
        let table = try lua.table()
        for (name, value) in facts { try table.set(.text(name), try value.lua(in: lua)) }
        let moved = try lua.table()
        for (name, value) in applications { try moved.set(.text(name), try value.lua(in: lua)) }
        try table.set(.text("applications"), .table(moved))
        try NamedFields.watch(moved, in: lua, as: "run.applications", names: run.world.inventory.applications.map(\.name.text))
        try NamedFields.watch(table, in: lua, as: "run", names: TestReference.runFields)
        known[table] = run
        return table
    }
}
