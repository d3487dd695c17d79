import DRActions
import DRJournal
import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Foundation
import Testing

/// Every stage of a move x (error, timeout, lost reply, crash), through the runbook, the flow and the engine: docs/stages.md is what comes out.
@Suite(.serialized) struct StageTableTests {
    enum Fault: String, CaseIterable {
        case error, timeout
        case lostReply = "lost reply"
        case crash

        var failure: DRError? {
            switch self {
            case .error: DRError(.io, "the disk gave an error")
            case .timeout: DRError(.timeout, "no answer in time")
            case .lostReply: DRError(.clusterUnreachable, "the connection was cut after it was done")
            case .crash: nil
            }
        }
    }

    struct Flow: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: String
        /// Where `ledger` is before, and after it went well.
        let before: ClusterName
        let after: ClusterName
        let prepare: @Sendable (EngineWorld) async throws -> Void
    }

    static let flows = [
        Flow(
            testDescription: "planned failover",
            body: #"dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }"#, before: "east", after: "west"
        ) { _ in },
        Flow(
            testDescription: "disaster failover",
            body:
                #"dr.failover { pair = "east-west", applications = { "ledger" }, mode = "disaster", source_down = { evidence = "fire", fenced = "power" } }"#,
            before: "east", after: "west"
        ) { world in
            try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
            world.east.set { $0.processes = [:] }
        },
        Flow(
            testDescription: "failback", body: #"dr.failback { pair = "east-west", applications = { "ledger" } }"#, before: "west",
            after: "east"
        ) { world in
            try await world.engine().move("ledger", run: "before")
            try await world.engine().migrate(["ledger"], reversed: true, Spoken("back", run: "before"))
        },
        Flow(
            testDescription: "drill",
            body: #"local d = dr.drill { pair = "east-west", applications = { "ledger" } } dr.cleanup { drill = d.id }"#, before: "east",
            after: "east"
        ) { world in try await world.engine().migrate(["ledger"], Spoken("copy", run: "before")) },
    ]

    // MARK: One case

    private struct Ending: Equatable {
        var outcome: RunOutcome
        var state: String
        var next: String
        var place: String
    }

    private func prepared(_ flow: Flow) async throws -> EngineWorld {
        let world = try EngineWorld()
        try await flow.prepare(world)
        for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } }
        return world
    }

    private func runner(_ world: EngineWorld, _ engine: ReplicationEngine, _ journal: any Journal, seed: UInt64 = 1) -> RunbookRunner {
        RunbookRunner(
            engine: engine, inventory: world.inventory, clock: world.clock, random: SeededRandom(seed), journal: journal, host: "here",
            process: 1, who: "test", executor: ThreadExecutor(name: "runbook"))
    }

    private func order(_ flow: Flow) -> RunOrder {
        let text = "return dr.runbook {\n  name = \"test\",\n  run = function(p)\n\(flow.body)\n  end,\n}\n"
        return RunOrder(sources: RunbookSources(main: .init(file: "test.lua", text: text)), parameters: [:], who: "test")
    }

    private func place(_ world: EngineWorld) async throws -> String {
        let status = try await world.engine().status(of: ["ledger"], without: [], Spoken("status", run: "look").call)[0]
        let drills = try await world.engine().drills().isEmpty ? "" : ", a clone stands"
        return "\(status.active_at?.text ?? "unknown"), \(status.running == true ? "running" : "stopped")\(drills)"
    }

    private func ending(_ report: RunReport, _ world: EngineWorld) async throws -> Ending {
        let item = report.applications.first { $0.name == "ledger" }
        return Ending(
            outcome: report.outcome, state: item?.state.rawValue ?? "-", next: item?.next ?? "", place: try await place(world))
    }

    /// Never two at work.
    private func watch(_ world: EngineWorld, _ flow: Flow) -> @Sendable () -> Void {
        {
            guard flow.testDescription != "drill" else { return }
            #expect(world.east.processes("pg") == 0 || world.west.processes("pg") == 0)
        }
    }

    // MARK: Stages

    /// What a call of a port is called as a stage; nil = it changes nothing.
    private static func stage(_ call: String) -> String? {
        let cluster = call.prefix { $0 != "." }
        let rest = call.dropFirst(cluster.count + 1)
        if rest.hasPrefix("commit ") {
            guard let part = rest.range(of: "/do/") else { return nil }
            return "\(rest[part.upperBound...].replacingOccurrences(of: "ledger/", with: "")) @\(cluster)"
        }
        for operation in ["capture", "publish", "receive", "materialise", "verify", "discard"] where rest == "volumes.\(operation)" {
            return "\(operation) @\(cluster)"
        }
        for operation in ["startClone", "stopClone", "readyClone", "start", "stop", "ready"] where rest.hasPrefix(operation + " ") {
            return "\(operation) processes @\(cluster)"
        }
        return nil
    }

    private struct Place {
        let position: Int
        let name: String
    }

    private func places(_ flow: Flow) async throws -> [Place] {
        let world = try await prepared(flow)
        let counting = Breaker()
        let report = try await runner(world, world.engine(breaking: counting), MemoryJournal()).run(order(flow))
        #expect(report.outcome == .succeeded, "\(flow.testDescription): \(report.error?.description ?? "")")
        var seen: [String: Int] = [:]
        return counting.calls.enumerated().compactMap { index, call in
            guard let name = Self.stage(call) else { return nil }
            seen[name, default: 0] += 1
            let number = seen[name] ?? 1
            return Place(position: index + 1, name: number == 1 ? name : "\(name) (\(number))")
        }
    }

    // MARK: The table

    @Test(arguments: Self.flows)
    func `G1 G2 G12 whatever fails at a stage, one cluster is live, the run says so, and doing what it says next ends well`(flow: Flow)
        async throws
    {
        var lines: [String] = []
        for place in try await places(flow) {
            var groups: [(text: String, faults: [String])] = []
            for fault in Fault.allCases {
                let text = try await cell(flow, place, fault)
                if let index = groups.firstIndex(where: { $0.text == text }) {
                    groups[index].faults.append(fault.rawValue)
                } else {
                    groups.append((text, [fault.rawValue]))
                }
            }
            for (index, group) in groups.enumerated() {
                lines.append("| \(index == 0 ? place.name : "") | \(group.faults.joined(separator: ", ")) | \(group.text) |")
            }
        }
        try StagePage.compare(flow.testDescription, lines)
    }

    /// `run ends | ledger is | next`.
    private func cell(_ flow: Flow, _ place: Place, _ fault: Fault) async throws -> String {
        let world = try await prepared(flow)
        let what: Comment = "\(flow.testDescription), \(fault.rawValue) at \(place.name)"
        let journal = MortalJournal()
        let breaker: Breaker
        if let failure = fault.failure {
            breaker = Breaker(at: place.position, failing: failure, after: fault == .lostReply, watching: watch(world, flow))
        } else {
            breaker = Breaker(at: place.position, after: false, watching: watch(world, flow))
        }
        journal.breaker = breaker
        let report: RunReport?
        do { report = try await runner(world, world.engine(breaking: breaker), journal).run(order(flow)) } catch is Killed { report = nil }
        guard let report else {
            let between = try await self.place(world)
            let run = try #require(try journal.runs().first?.id, what)
            journal.breaker = nil
            let resumed = try await runner(world, world.engine(), journal, seed: 99).resume(run)
            #expect(resumed.outcome == .succeeded, what)
            try await settled(flow, world, what)
            return "killed | \(between) | `resume`: succeeds"
        }
        #expect(fault != .crash, what)
        let ending = try await ending(report, world)
        let cell: String
        if report.outcome == .succeeded {
            cell = "succeeded | \(ending.place) | \(ending.next.isEmpty ? "nothing" : ending.next)"
        } else {
            var first = ""
            for drill in try await world.engine().drills() {
                _ = try await world.engine().cleanUp(drill.id, Spoken("cleanup", run: "person").call)
                first = "`cleanup`, then "
            }
            let again = try await runner(world, world.engine(), MemoryJournal(), seed: 7).run(order(flow))
            #expect(again.outcome == .succeeded, "\(what), run again: \(again.error?.description ?? "")")
            let next = ending.next.isEmpty ? "\(first)run it again: succeeds" : "\(ending.next); \(first)run it again: succeeds"
            cell = "\(report.outcome.rawValue) | \(ending.place) | \(next)"
        }
        try await settled(flow, world, what)
        return cell
    }

    /// What must hold when a person has done what was to be done.
    private func settled(_ flow: Flow, _ world: EngineWorld, _ what: Comment) async throws {
        #expect(try await place(world) == "\(flow.after), running", what)
        guard flow.testDescription != "drill" else { return }
        let (there, here) = flow.after == "west" ? (world.west, world.east) : (world.east, world.west)
        #expect(there.processes("pg") == 3 && here.processes("pg") == 0, what)
    }
}

/// A journal of a process that dies with its ports.
private final class MortalJournal: Journal {
    private let base = MemoryJournal()
    private let state = Lock<Breaker?>(nil)

    var breaker: Breaker? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    private func live<Result>(_ body: () throws -> Result) throws -> Result {
        if breaker?.isDead == true { throw Killed() }
        return try body()
    }

    func begin(_ header: RunHeader) throws { try live { try base.begin(header) } }
    func append(_ entries: [TimedEntry], to run: RunID) throws -> [JournalRecord] { try live { try base.append(entries, to: run) } }
    func header(of run: RunID) throws -> RunHeader { try base.header(of: run) }
    func records(of run: RunID) throws -> [JournalRecord] { try base.records(of: run) }
    func runs() throws -> [RunSummary] { try base.runs() }
}

private final class SeededRandom: RandomSource {
    private let number: Lock<UInt64>
    init(_ seed: UInt64) { number = Lock(seed) }
    func next() -> UInt64 {
        number.withLock { number in
            number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return number
        }
    }
}

/// docs/stages.md: a section a flow, each written and compared by itself.
private enum StagePage {
    static func compare(_ flow: String, _ lines: [String]) throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/stages.md")
        let begin = "<!-- \(flow): made by StageTableTests, RECORD=1 writes it -->\n"
        let end = "<!-- end of \(flow) -->"
        let table =
            "| stage | what fails | the run ends | then `ledger` is | next |\n|---|---|---|---|---|\n" + lines.map { $0 + "\n" }.joined()
        let page = try String(contentsOf: url, encoding: .utf8)
        let parts = page.components(separatedBy: begin)
        guard parts.count == 2, let rest = parts[1].range(of: end) else {
            Issue.record("docs/stages.md has no section of \(flow)")
            return
        }
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            let text = parts[0] + begin + table + parts[1][rest.lowerBound...]
            try text.write(to: url, atomically: true, encoding: .utf8)
        } else {
            #expect(String(parts[1][..<rest.lowerBound]) == table, "run `make record` and commit docs/stages.md")
        }
    }
}
