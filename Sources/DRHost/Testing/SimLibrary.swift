internal import DRActions
internal import DRModel
internal import DRSimulation
internal import DRSupport
internal import LuaBridge

/// `sim` of a case: what happens to the world, and what is run in it.
struct SimLibrary {
    let context: CaseContext
    /// Runs by what the script holds of them.
    let runs: RunTables

    static let names = TestFunction.names(.sim)

    func table(in lua: Lua) throws -> LuaTable {
        let sim = try lua.table()
        try installWorld(sim)
        try installPeople(sim)
        try installRuns(sim)
        try installSites(sim)
        return sim
    }

    /// A method: its first argument is `sim` itself. Errors that have no place get the script's.
    private func method(
        _ sim: LuaTable, _ name: String, _ body: @escaping (CaseContext, [Value], LuaCall) async throws -> [LuaValue]
    ) throws {
        let context = context
        try sim.registerAsync(name) { (call: LuaCall) in
            do {
                guard call[0].table != nil else { throw DRError(.invalidInput, "write sim:\(name)(...), with a colon") }
                let arguments = try call.arguments.dropFirst().map { value in
                    value.table.map { runs.isRun($0) } == true ? Value.null : try Value(lua: value)
                }
                return try await body(context, Array(arguments), call)
            } catch let error as DRError {
                throw error.said(by: "sim:\(name)", at: SourceLocation(call.location))
            }
        }
    }

    private func installWorld(_ sim: LuaTable) throws {
        try method(sim, "load") { context, arguments, _ in
            try await context.load(try text(arguments, 0, "a fixture's path"))
            return []
        }
        try method(sim, "world") { context, arguments, _ in
            guard let value = arguments.first, value.map != nil else {
                throw DRError(.invalidInput, "expected a table with the world's sections")
            }
            try await context.begin(try Fixture.read(value, folder: context.folder, base: context.base))
            return []
        }
        try method(sim, "fault") { context, arguments, _ in
            let (fault, isOptional) = try FaultReading.fault(arguments.first ?? .null)
            if let cluster = fault.cluster { _ = try await context.cluster(cluster) }
            if let application = fault.application { _ = try await context.application(application) }
            if isOptional { context.optional.insert(fault) }
            try await context.simulation().world.faults.add(fault)
            return []
        }
        try method(sim, "answer") { context, arguments, _ in
            let kind = try text(arguments, 0, "exec, http or notify")
            try OutsideMatch.check(kind: kind)
            var match = arguments.count > 1 ? arguments[1] : .null
            if let text = match.string {
                match = kind == "http" ? ["url": .string(text)] : kind == "exec" ? ["name": .string(text)] : ["channel": .string(text)]
            }
            try OutsideMatch.check(match, kind: kind)
            let given = arguments.dropFirst(2)
            let answers = given.first?.list ?? Array(given)
            for answer in answers { try OutsideMatch.check(answer: answer, kind: kind) }
            try await context.simulation().world.outside.add(kind, match, answers)
            return []
        }
    }

    private func installPeople(_ sim: LuaTable) throws {
        for (name, decision) in [("approve", Approval.Decision.approve), ("reject", .reject)] {
            try method(sim, name) { context, arguments, _ in
                let gate = try text(arguments, 0, "a gate's name")
                let people = arguments.count > 1 ? arguments[1].list?.compactMap(\.string) ?? arguments[1].string.map { [$0] } ?? [] : []
                let options = try OptionTable(arguments.count > 2 ? arguments[2] : .null, ["after", "comment"])
                try await context.simulation().add(
                    Simulation.Voice(
                        gate: gate, people: people.isEmpty ? ["somebody"] : people, decision: decision,
                        after: try options.duration("after") ?? .zero, comment: try options.text("comment")))
                return []
            }
        }
    }

    private func installRuns(_ sim: LuaTable) throws {
        let runs = runs
        for (name, mode) in [("run", Simulation.Mode.live), ("drill", .drill)] {
            try method(sim, name) { context, arguments, call in
                let file = context.shownFolder + (try text(arguments, 0, "a runbook's path"))
                let parameters = arguments.count > 1 && !arguments[1].isNull ? arguments[1] : [:]
                let run = try await context.simulation().run(file, parameters.list?.isEmpty == true ? [:] : parameters, mode)
                return [.table(try runs.table(of: run, gates: try await context.simulation().gates(of: run), in: call.lua))]
            }
        }
        try method(sim, "resume") { context, arguments, call in
            let run = try runs.run(call[1])
            let options = try OptionTable(arguments.count > 1 ? arguments[1] : .null, ["settled"])
            let settled = try options.word("settled", as: Settlement.self)
            let simulation = try await context.simulation()
            try await simulation.resume(run, settled: settled)
            return [.table(try runs.table(of: run, gates: simulation.gates(of: run), in: call.lua))]
        }
    }

    private func installSites(_ sim: LuaTable) throws {
        try method(sim, "down") { context, arguments, _ in
            let lost = try text(arguments, 0, "a cluster's or a store's name")
            let world = try await context.simulation().world
            _ = try await context.isStore(lost)
            world.timeline.note("world", "\(lost) goes down", at: world.clock.now())
            world.lose(lost, power: true)
            return []
        }
        try method(sim, "partition") { context, arguments, _ in
            let lost = try text(arguments, 0, "a cluster's or a store's name")
            let world = try await context.simulation().world
            let isStore = try await context.isStore(lost)
            guard arguments.count > 1, !arguments[1].isNull else {
                world.timeline.note("world", "\(lost) cannot be reached", at: world.clock.now())
                world.lose(lost, power: false)
                return []
            }
            let other = try text(arguments, 1, "a cluster's or a store's name")
            guard try await context.isStore(other) != isStore else {
                throw DRError(
                    .invalidInput, "\(lost) and \(other) never talk to each other, so there is nothing to cut between them",
                    hint:
                        "what goes from cluster to cluster goes through a store: sim:partition(CLUSTER, STORE); sim:partition(CLUSTER) makes it unreachable"
                )
            }
            world.timeline.note("world", "\(lost) and \(other) do not reach each other", at: world.clock.now())
            world.cut(try ClusterName(isStore ? other : lost), from: try StoreName(isStore ? lost : other))
            return []
        }
        try method(sim, "heal") { context, _, _ in
            let world = try await context.simulation().world
            world.timeline.note("world", "everything answers again", at: world.clock.now())
            try world.heal()
            return []
        }
        try method(sim, "corrupt") { context, arguments, _ in
            try await corrupt(arguments.first ?? .null, context)
            return []
        }
        try method(sim, "advance") { context, arguments, _ in
            let world = try await context.simulation().world
            world.clock.advance(by: try Duration(argument: arguments.first ?? .null, "advance"))
            return []
        }
        try method(sim, "now") { context, _, call in
            [try Value.instant(try await context.simulation().world.clock.now()).lua(in: call.lua)]
        }
        try method(sim, "write") { context, arguments, _ in
            [.integer(try await context.write(try text(arguments, 0, "an application"), at: try text(arguments, 1, "a cluster")))]
        }
        try method(sim, "read") { context, arguments, _ in
            let application = try await context.application(try text(arguments, 0, "an application"))
            let cluster = try await context.cluster(try text(arguments, 1, "a cluster"))
            let volumes = try cluster.volumes(of: application)
            return [.text(volumes.map { cluster.memory.read($0) ?? "" }.joined())]
        }
    }

    private enum Rotten: String, CaseIterable { case newest, all }

    // { application =, cluster =, points = "all" | "newest" }
    private func corrupt(_ value: Value, _ context: CaseContext) async throws {
        let options = try OptionTable(value, ["application", "cluster", "points"])
        guard let name = try options.text("application"), let at = try options.text("cluster") else {
            throw DRError(.invalidInput, "expected { application = ..., cluster = ..., points = \"newest\" or \"all\" }")
        }
        let application = try await context.application(name), cluster = try await context.cluster(at)
        let folder = DocumentPath.points(of: application.name).text + "/"
        let points = cluster.allDocuments.filter { $0.key.text.hasPrefix(folder) }.sorted { a, b in
            (a.value["instant"].string ?? "", a.key) > (b.value["instant"].string ?? "", b.key)
        }
        guard !points.isEmpty else { throw DRError(.notFound, "\(at) has no recovery point of \(name)") }
        let chosen = try options.word("points", as: Rotten.self) == .all ? points[...] : points.prefix(1)
        cluster.memory.rot(try chosen.map { try PointID(String($0.key.text.dropFirst(folder.count))) })
    }

    private func text(_ arguments: [Value], _ index: Int, _ what: String) throws -> String {
        guard index < arguments.count, let text = arguments[index].string else { throw DRError(.invalidInput, "expected \(what)") }
        return text
    }
}

extension DRError {
    /// An error without a place of its own happened where the test called.
    func said(by function: String, at place: SourceLocation?) -> DRError {
        location == nil ? DRError(code, "\(function): \(message)", hint: hint, location: place, details: details) : self
    }
}

/// `{ at = "failover/last-sync", nth = 1, kind = "source-unreachable" }`.
enum FaultReading {
    static let fields = ["at", "kind", "nth", "application", "cluster", "delay", "when", "code", "again", "lasts", "optional"]

    static func fault(_ value: Value) throws -> (Fault, isOptional: Bool) {
        guard value.map != nil else { throw DRError(.invalidInput, "expected { at = ..., kind = ... }") }
        let options = try OptionTable(value, fields)
        guard let at = try options.text("at") else {
            throw DRError(.invalidInput, "field \"at\" is missing: expected a place such as \"failover/last-sync\"")
        }
        guard let kind = try options.word("kind", as: Fault.Kind.self) else {
            throw DRError(
                .invalidInput, "field \"kind\" is missing: expected what goes wrong",
                hint: "kinds: \(Fault.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let fault = Fault(
            kind, at: at, nth: try options.count("nth") ?? 1, moment: try options.word("when", as: Fault.Moment.self),
            application: try options.text("application"), cluster: try options.text("cluster"), delay: try options.duration("delay"),
            code: try options.word("code", as: ErrorCode.self), again: try options.flag("again"), lasting: try lasting(value, options))
        return (fault, try options.flag("optional"))
    }

    private static func lasting(_ value: Value, _ options: OptionTable) throws -> Fault.Lasting {
        switch value["lasts"] {
        case .null, "action": return .action
        case "forever": return .forever
        case .string(let text) where Spelling.nearest(to: text, in: ["action", "forever"]) != nil:
            throw DRError(
                .invalidInput, "lasts: there is no \"\(text)\"\(Spelling.hint(for: text, in: ["action", "forever"]))",
                hint: "expected action, forever or a duration such as \"10m\"")
        default: return try options.duration("lasts").map { .time($0) } ?? .action
        }
    }
}
