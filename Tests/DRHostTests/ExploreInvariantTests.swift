import DRActions
import DRModel
import DRSupport
import Foundation
import Testing

@testable import DRHost
@testable import DRSimulation

/// Invariants that no runbook can break, only a fault of the product or of a host's own verb: each fails where the history breaks it.
@Suite struct ExploreInvariantTests {
    /// A verb of a host's own that asks the source in a disaster.
    struct Sneak: DRAction {
        static let spec = ActionSpec("sneak", summary: "Asks the source of a pair where things are.", effect: .observes)
        @Parameter("The pair.") var pair: String
        @Parameter("planned or disaster.") var mode: String
        func perform(in context: ActionContext) async throws -> Value {
            let names = context.inventory.applications.map(\.name)
            return .integer(Int64(try await context.engine.status(of: names, without: [], context.call).count))
        }
    }

    /// A verb of a host's own whose input is another one each time it is asked for: its run cannot be carried on.
    struct Drift: DRAction {
        static let spec = ActionSpec("drift", summary: "Counts.", effect: .observes)
        @Parameter("Anything.") var number: Count
        func perform(in context: ActionContext) async throws -> Value { .null }
    }

    struct Count: ParameterType {
        private static let asked = Lock<Int64>(0)
        static let expectation = "anything"
        static let luaType = "any"
        let parameterValue: Value
        init(parameter value: Value, in surroundings: ParameterSurroundings) {
            parameterValue = .integer(
                Self.asked.withLock { asked in
                    asked += 1
                    return asked
                })
        }
    }

    private static let shop = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Planted/shop.yaml").path

    private func explored(
        _ body: String, verbs: [any DRAction.Type] = [], limit: Int = 60
    ) async throws -> [Finding] {
        try await withRunbook(body) { file in
            let registry = verbs.reduce(ActionRegistry.standard) { $0.adding($1) }
            var explorer = try RunbookExplorer(fixture: Self.shop, configuration: nil, registry: registry)
            explorer.limit = limit
            return try await explorer.explore(file).findings
        }
    }

    private func withRunbook<Result>(
        _ body: String, ensures: String? = nil, _ work: (String) async throws -> Result
    ) async throws -> Result {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).lua")
        defer { try? FileManager.default.removeItem(at: file) }
        let text = "return dr.runbook { name = \"test\", \(ensures.map { "ensures = \($0), " } ?? "")run = function()\n\(body)\nend }\n"
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try await work(file.path)
    }

    /// What a watch says of a world that somebody else has brought about.
    private func watched(_ look: (SimulatedWorld, WorldWatch) throws -> Void) async throws -> [(Invariant, String)] {
        let executor = ThreadExecutor(name: "watch")
        defer { executor.stop() }
        let fixture = try Fixture.load(Self.shop, shown: Self.shop, base: nil)
        let simulation = try await withTaskExecutorPreference(executor) {
            try await Simulation.prepared(fixture, seed: 0, registry: .standard, executor: executor)
        }
        let watch = WorldWatch(simulation.world)
        try look(simulation.world, watch)
        return watch.found
    }

    private func activation(_ world: SimulatedWorld, _ mode: ActivationOrder.Mode, age: Duration, accepted: Duration? = nil) throws
        -> (ActivationOrder, ActivationReport)
    {
        let (name, west) = (ApplicationName("ledger"), ClusterName("west"))
        let now = world.clock.now()
        return (
            ActivationOrder(pair: PairName("east-west"), application: name, mode: mode, acceptedDataLoss: accepted),
            ActivationReport(
                application: name, active_at: west, epoch: .first, recovery_point: nil, instant: now - age, rpo: .atMost(age),
                ready_at: now,
                split_brain_risk: false, changed: true)
        )
    }

    @Test func `data-loss: older data than the target that goes live in a disaster is found, unless somebody accepted it`() async throws {
        func found(_ age: Duration, accepted: Duration? = nil) async throws -> [Invariant] {
            try await watched { world, watch in
                let (order, report) = try activation(world, .disaster, age: age, accepted: accepted)
                watch.judge(order, report)
            }.map(\.0)
        }
        #expect(try await found(.seconds(2 * 3600)) == [.dataLoss])
        #expect(try await found(.seconds(900)).isEmpty)
        #expect(try await found(.seconds(2 * 3600), accepted: .seconds(3 * 3600)).isEmpty)
    }

    @Test func `data-loss: a write that a planned move leaves behind is found`() async throws {
        let found = try await watched { world, watch in
            let east = try #require(world.clusters[ClusterName("east")])
            let application = try #require(world.inventory.application(ApplicationName("ledger")))
            let west = try #require(world.clusters["west"])
            for volume in try east.volumes(of: application) { west.memory.write(east.memory.read(volume) ?? "", to: volume) }
            let (order, report) = try activation(world, .planned, age: .zero)
            watch.judge(order, report)
            #expect(watch.found.isEmpty)
            let volume = try #require(try east.volumes(of: application).first)
            east.memory.write((east.memory.read(volume) ?? "") + "the last write\n", to: volume)
            watch.judge(order, report)
        }
        #expect(found.map(\.0) == [.dataLoss])
        #expect(found.first?.1.contains("lost 1 writes") == true && found.first?.1.contains("the last write") == true)
    }

    @Test(arguments: [("disaster", true), ("planned", false)])
    func `source-untouched: a question to the source in disaster mode is found, in planned mode it is none`(_ mode: String, _ isFound: Bool)
        async throws
    {
        let findings = try await explored("dr.sneak { pair = \"east-west\", mode = \"\(mode)\" }", verbs: [Sneak.self], limit: 3)
        #expect(findings.contains { $0.invariant == .sourceUntouched && $0.message.contains("touched east") } == isFound)
    }

    @Test func `resumable: a run that cannot be carried on after a crash is found`() async throws {
        let body = "dr.drift { number = 1 }\ndr.migrate { pair = \"east-west\", applications = \"all\" }"
        let findings = try await explored(body, verbs: [Drift.self])
        #expect(findings.contains { $0.invariant == .resumable && $0.message.contains("replay-mismatch") }, "\(findings.map(\.message))")
    }

    @Test func `G12 a second fault may strike at any commit of the run with the first`() async throws {
        try await withRunbook("dr.migrate { pair = \"east-west\", applications = \"all\" }") { file in
            let executor = ThreadExecutor(name: "explore")
            defer { executor.stop() }
            let explorer = try RunbookExplorer(fixture: Self.shop, configuration: nil)
            try await withTaskExecutorPreference(executor) {
                let start = try await explorer.start(file, [:], executor: executor)
                let first = try #require(Search.offered(by: start.base).first { $0.at == "journal" && $0.nth == 4 })
                let run = try await ExploredRun.perform(
                    FaultSchedule(faults: [first], numbers: [1], pace: 0), file, [:], in: start.template, executor: executor)
                let commits = Search.offered(by: run).filter { $0.at == "west.commit" }
                let count = run.commits.filter { $0.key.place == "west" && $0.key.operation == "commit" }.map(\.value).reduce(0, +)
                #expect(count > 0 && commits.count == 2 * count)
                #expect(Set(commits.map(\.nth)) == Set(1...count))
            }
        }
    }

    /// What is judged of a run, and of the same run had it ended otherwise.
    private func judged(
        _ fault: Fault?, ensures: String? = nil, _ change: @escaping @Sendable (inout Ending) -> Void
    ) async throws -> (as: [(Invariant, String)], changed: [(Invariant, String)]) {
        try await withRunbook("dr.migrate { pair = \"east-west\", applications = \"all\" }", ensures: ensures) { file in
            let executor = ThreadExecutor(name: "explore")
            defer { executor.stop() }
            let explorer = try RunbookExplorer(fixture: Self.shop, configuration: nil)
            return try await withTaskExecutorPreference(executor) {
                let start = try await explorer.start(file, [:], executor: executor)
                let host = start.template.host(start.template.world.process(isSpared: true))
                let judgement = Judgement(inventory: host.configuration.inventory, runbook: try await host.inspect(file), base: start.base)
                let run = try await ExploredRun.perform(
                    FaultSchedule(faults: fault.map { [$0] } ?? [], numbers: [], pace: 0), file, [:], in: start.template, executor: executor
                )
                var ending = run.ending
                change(&ending)
                return (judgement.findings(run), judgement.findings(run.with(run.records, ending: ending)))
            }
        }
    }

    @Test func `one-writer: two holders of the newest epoch are found, and an epoch that falls`() async throws {
        let found = try await watched { world, watch in
            let (east, west) = (try #require(world.clusters["east"]), try #require(world.clusters["west"]))
            let call = PortCall(place: "west", operation: "commit", isChange: true)
            func hold(_ cluster: MemoryCluster, _ epoch: Int64, _ active: String) {
                cluster.set { $0.documents[.application("ledger")] = ["epoch": .integer(epoch), "active": .string(active)] }
            }
            hold(east, 2, "west")
            hold(west, 2, "west")
            watch.look(call)
            #expect(watch.found.filter { $0.1.contains("epoch") }.isEmpty)
            hold(east, 2, "east")
            watch.look(call)
            hold(east, 1, "west")
            hold(west, 1, "west")
            watch.look(call)
        }
        let epochs = found.filter { $0.1.contains("epoch") }
        #expect(epochs.map(\.0) == [.oneWriter, .oneWriter])
        #expect(epochs.map(\.1) == ["east and west both hold epoch 2 of ledger", "the epoch of ledger fell from 2 to 1"])
    }

    @Test func `undo: a failed run that leaves an application elsewhere, or stopped, and does not say so is found`() async throws {
        let fault = Fault(.error, at: "migrate")
        let moved = try await judged(fault) { $0.places["ledger"] = "west" }
        #expect(moved.as.isEmpty)
        #expect(moved.changed.map(\.0) == [.undo] && moved.changed.first?.1.contains("ledger is at west") == true)
        let stopped = try await judged(fault) { $0.running["ledger"] = [] }
        #expect(stopped.changed.map(\.0) == [.undo] && stopped.changed.first?.1.contains("ledger runs nowhere") == true)
    }

    @Test func `end-state: a run that succeeded without what the runbook ensures is found`() async throws {
        let found = try await judged(nil, ensures: "{ active = { ledger = \"east\" } }") { $0.running["ledger"] = ["east", "west"] }
        #expect(found.as.isEmpty)
        #expect(found.changed.map(\.0) == [.endState] && found.changed.first?.1.contains("where the runbook ensures east") == true)
    }

    @Test func `outcomes: an ended run with an action that has no outcome is found, an interrupted one is not`() async throws {
        try await withRunbook("dr.migrate { pair = \"east-west\", applications = \"all\" }") { file in
            let executor = ThreadExecutor(name: "explore")
            defer { executor.stop() }
            let explorer = try RunbookExplorer(fixture: Self.shop, configuration: nil)
            try await withTaskExecutorPreference(executor) {
                let start = try await explorer.start(file, [:], executor: executor)
                let host = start.template.host(start.template.world.process(isSpared: true))
                let judgement = Judgement(
                    inventory: host.configuration.inventory, runbook: try await host.inspect(file), base: start.base)
                #expect(judgement.findings(start.base).isEmpty)
                let silent = start.base.records.filter { $0.entry.kind != .outcome }
                #expect(judgement.findings(start.base.with(silent)).map(\.0) == [.outcomes])
                #expect(judgement.findings(start.base.with(silent.filter { $0.entry.kind != .finished })).isEmpty)
            }
        }
    }
}

extension ExploredRun {
    fileprivate func with(_ records: [JournalRecord], ending: Ending? = nil) -> ExploredRun {
        ExploredRun(
            schedule: schedule, run: run, records: records, start: start, ending: ending ?? self.ending, found: found, commits: commits,
            outside: outside,
            timeline: timeline, trace: trace, usesDisaster: usesDisaster)
    }
}
