internal import DRActions
internal import DRModel
internal import DRSimulation
internal import DRSupport
internal import LuaBridge

/// `t` of a test file: what must hold. Each says what it found instead.
struct Expectations {
    let context: CaseContext
    let runs: RunTables

    static let names = TestFunction.names(.t)

    func install(in t: LuaTable) throws {
        try installRuns(t)
        try installWorld(t)
        try installOutside(t)
        try installValues(t)
    }

    private func expect(_ t: LuaTable, _ name: String, _ body: @escaping (CaseContext, LuaCall) async throws -> [LuaValue]) throws {
        let context = context
        try t.registerAsync(name) { (call: LuaCall) in
            do {
                return try await body(context, call)
            } catch let error as DRError {
                throw error.said(by: "t.\(name)", at: SourceLocation(call.location))
            }
        }
    }

    private func failed(_ message: String) -> DRError { DRError(.failed, message) }

    private func text(_ call: LuaCall, _ index: Int, _ what: String) throws -> String {
        guard let text = call[index].string else { throw DRError(.invalidInput, "expected \(what), got a \(call[index].typeName)") }
        return text
    }

    private func installRuns(_ t: LuaTable) throws {
        let runs = runs
        try expect(t, "outcome") { _, call in
            let run = try runs.run(call[0]), wanted = try text(call, 1, "an outcome")
            let known = RunOutcome.allCases.map(\.rawValue) + ["interrupted"]
            guard known.contains(wanted) else {
                throw DRError(
                    .invalidInput, "\"\(wanted)\" is no outcome\(Spelling.hint(for: wanted, in: known))",
                    hint: "outcomes: \(known.joined(separator: ", "))")
            }
            guard run.outcome == wanted else {
                throw failed(
                    "expected \(wanted), got \(run.outcome)" + (run.report?.error.map { ": \($0.code.rawValue): \($0.message)" } ?? ""))
            }
            return []
        }
        try expect(t, "error") { _, call in
            let run = try runs.run(call[0]), wanted = try text(call, 1, "an error's code")
            try DRError.checkCode(wanted)
            let error = run.report?.error
            guard error?.code.rawValue == wanted else {
                throw failed("expected the error \(wanted), got \(error.map { "\($0.code.rawValue): \($0.message)" } ?? "none")")
            }
            return []
        }
        try expect(t, "before") { _, call in
            let run = try runs.run(call[0])
            let deeds = run.deeds
            func place(_ index: Int) throws -> (String, Int) {
                let wanted = try text(call, index, "what was done, such as \"stop ledger\"")
                let other = wanted.hasPrefix("activate ") ? "start " + wanted.dropFirst(9) : wanted
                guard
                    let place = deeds.firstIndex(where: { $0 == wanted || $0 == other }) ?? deeds.firstIndex(where: { $0.contains(wanted) })
                else {
                    throw failed(
                        "\"\(wanted)\" was not done\(Spelling.hint(for: wanted, in: deeds)); done: \(deeds.isEmpty ? "nothing" : deeds.joined(separator: "; "))"
                    )
                }
                return (wanted, place)
            }
            let (first, early) = try place(1), (second, late) = try place(2)
            guard early < late else { throw failed("\"\(first)\" came after \"\(second)\"") }
            return []
        }
        try expect(t, "undone") { _, call in
            let run = try runs.run(call[0]), name = try text(call, 1, "the name of an undo")
            let undos = run.report?.undos ?? []
            guard let undo = undos.first(where: { $0.name == name }) else {
                throw failed("there is no undo \"\(name)\"\(Spelling.hint(for: name, in: undos.map(\.name))) in the report")
            }
            guard undo.state == .undone else { throw failed("\(name) is \(undo.state.rawValue)\(undo.reason.map { ": \($0)" } ?? "")") }
            return []
        }
        try expect(t, "rpo") { context, call in
            let run = try runs.run(call[0]), name = try text(call, 1, "an application"), sign = try text(call, 2, "<=, < or ==")
            let limit = try Duration(argument: try Value(lua: call[3]), "its age")
            _ = try await context.application(name)
            guard let item = run.report?.applications.first(where: { $0.name.text == name }) else {
                throw failed("the run moved no \(name)")
            }
            let age: Duration
            switch item.rpo {
            case .exact(let found), .atMost(let found): age = found
            default: throw failed("the RPO of \(name) is unknown")
            }
            let holds: Bool
            switch sign {
            case "<=": holds = age <= limit
            case "<": holds = age < limit
            case "==": holds = age == limit
            default: throw DRError(.invalidInput, "its sign: expected <=, < or ==, got \"\(sign)\"")
            }
            guard holds else { throw failed("expected the RPO of \(name) \(sign) \(limit.text), got \(age.text)") }
            return []
        }
        try expect(t, "waiting") { context, call in
            let run = try runs.run(call[0])
            guard run.outcome == "waiting" else {
                throw failed("expected a run that waits, got \(run.outcome)\(run.report?.error.map { ": \($0.message)" } ?? "")")
            }
            guard let gate = call[1].string else { return [] }
            let open = try await context.simulation().gates(of: run).map(\.name)
            guard open.contains(gate) else {
                throw failed(
                    "it waits, but not at \(gate)\(Spelling.hint(for: gate, in: open)): \(open.isEmpty ? run.report?.error?.message ?? "" : open.joined(separator: ", "))"
                )
            }
            return []
        }
        try expect(t, "effects") { _, call in
            let texts = try runs.run(call[0]).effects.map(\.text)
            guard let wanted = try call[1].table?.elements().compactMap(\.string) else {
                return [.table(try call.lua.table(texts.map { .text($0) }))]
            }
            guard texts == wanted else {
                let index = zip(texts, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(texts.count, wanted.count)
                func item(_ list: [String]) -> String { index < list.count ? "\"\(list[index])\"" : "nothing more" }
                throw failed("effect \(index + 1): expected \(item(wanted)), got \(item(texts))")
            }
            return [.table(try call.lua.table(texts.map { .text($0) }))]
        }
        try expect(t, "logged") { _, call in
            let logs = try runs.run(call[0]).logs, wanted = try text(call, 1, "a text")
            guard logs.contains(where: { $0.contains(wanted) }) else {
                throw failed("nothing was logged that holds \"\(wanted)\"; logged: \(logs.joined(separator: "; "))")
            }
            return []
        }
    }

    private func installWorld(_ t: LuaTable) throws {
        let runs = runs
        try expect(t, "active") { context, call in
            let application = try await context.application(try text(call, 1, "an application"))
            let cluster = try await context.cluster(try text(call, 2, "a cluster")).name
            let world = try await context.simulation().world
            let holder = world.holder(of: application.name)?.cluster ?? SimulatedSite.home(world.inventory)
            let running = world.running(application)
            guard holder == cluster else {
                throw failed("expected \(application.name) active at \(cluster), it is at \(holder?.text ?? "no cluster")")
            }
            guard running == [cluster] else {
                throw failed(
                    "\(application.name) is active at \(cluster), but its processes run at \(running.isEmpty ? "no cluster" : running.map(\.text).joined(separator: " and "))"
                )
            }
            return []
        }
        try expect(t, "untouched") { context, call in
            let run = try runs.run(call[0])
            let cluster = try await context.cluster(try text(call, 1, "a cluster")).name
            let calls = run.calls(at: cluster.text)
            let effects = run.effects.filter { $0.cluster == cluster }.map(\.text)
            guard effects.isEmpty, calls.changes.isEmpty else {
                throw failed("\(cluster) was changed: \((effects + calls.changes).joined(separator: ", "))")
            }
            // Who asks what is lost waits for an answer that does not come.
            guard try await !context.simulation().world.isLost(cluster) || calls.questions.isEmpty else {
                throw failed("\(cluster) is lost, and was asked: \(calls.questions.joined(separator: ", "))")
            }
            return []
        }
        try expect(t, "nothing_left") { context, _ in
            if let left = try await context.simulation().remains().first { throw failed(left) }
            return []
        }
        try expect(t, "one_writer") { context, _ in
            let world = try await context.simulation().world
            for application in world.inventory.applications {
                let running = world.running(application)
                guard running.count <= 1 else {
                    throw failed("\(application.name) runs at \(running.map(\.text).joined(separator: " and "))")
                }
            }
            return []
        }
    }

    private func installOutside(_ t: LuaTable) throws {
        let runs = runs
        try expect(t, "called") { _, call in
            let run = try runs.run(call[0])
            let found: [OutsideWorld.Call]
            if let pattern = call[1].string {
                found = run.outside.filter {
                    OutsideWorld.fits(.string(pattern), .string($0.text))
                        || OutsideWorld.fits(.string(pattern), .string("\($0.kind) \($0.text)"))
                }
            } else {
                let match = try Value(lua: call[1])
                try OutsideMatch.check(match)
                found = run.outside.filter { one in
                    OutsideWorld.fits(match, .map((one.asked.map ?? [:]).merging(["kind": .string(one.kind)]) { $1 }))
                }
            }
            let times = call[2].integer
            guard times.map({ found.count == $0 }) ?? !found.isEmpty else {
                let all = run.outside.map { "\($0.kind) \($0.text)" }
                throw failed(
                    "expected \(times.map { "\($0) calls" } ?? "a call") that fits, got \(found.count); called: \(all.isEmpty ? "nothing" : all.joined(separator: "; "))"
                )
            }
            return [.integer(found.count)]
        }
    }

    private func installValues(_ t: LuaTable) throws {
        try expect(t, "equal") { _, call in
            let (found, wanted) = (try Value(lua: call[0]), try Value(lua: call[1]))
            guard found == wanted else {
                throw failed("expected \(wanted.json()), got \(found.json())\(call[2].string.map { ": \($0)" } ?? "")")
            }
            return []
        }
        try expect(t, "ok") { _, call in
            guard call[0].isTrue else { throw failed(call[1].string ?? "it does not hold") }
            return []
        }
        try expect(t, "fail") { _, call in throw failed(call[0].string ?? "the test says so") }
    }
}
