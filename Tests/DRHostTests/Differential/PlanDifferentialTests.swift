import DRHost
import DRModel
import DRSupport
import Foundation
import Testing

/// Generated runbooks over generated states: first planned, then run.
@Suite struct PlanDifferentialTests {
    struct Case {
        let seed: UInt64
        var site: GeneratedSite
        var runbook: GeneratedRunbook

        init(past: [String] = [], tampering: [GeneratedSite.Tampering] = [], _ body: String) {
            seed = 1
            site = GeneratedSite(past: past, tampering: tampering)
            runbook = GeneratedRunbook(body)
        }

        init(seed: UInt64) {
            self.seed = seed
            var random = CaseRandom(seed: seed)
            site = GeneratedSite(&random)
            var generator = RunbookGenerator(site, random)
            runbook = generator.runbook()
        }
    }

    /// What was different; nil = the plan told the truth and changed nothing.
    static func difference(_ what: Case) async throws -> (found: String?, plan: PlanComparison.Told, run: PlanComparison.Told) {
        let folder = try CaseFolder(what.site, seed: what.seed)
        try await folder.prepare()
        try folder.write("runbook.lua", what.runbook.text)
        let file = folder.path("runbook.lua")
        let before = try folder.everything()
        let heard = Lock(PlanComparison.Told())
        let planner = try folder.host(2, performs: false)
        defer { planner.close() }
        do {
            _ = try await planner.plan(file, without: what.site.dark.map { [try ClusterName($0)] } ?? []) { event in
                heard.withLock { $0.hear(event) }
            }
        } catch let error as DRError {
            heard.withLock { $0.refusal = error }
        }
        let plan = heard.withLock { $0 }
        let after = try folder.everything()
        if let changed = Set(before.keys).union(after.keys).sorted().first(where: { before[$0] != after[$0] }) {
            return (
                "the plan changed \(changed): \(before[changed] ?? "nothing") -> \(after[changed] ?? "nothing")", plan,
                PlanComparison.Told()
            )
        }
        if let dark = what.site.dark { try folder.lose(dark) }
        let runner = try folder.host(3, performs: true)
        defer { runner.close() }
        var run = PlanComparison.Told()
        do {
            var report = try await runner.run(file, mayActivate: true)
            // A plan takes gates as passed.
            while report.outcome == .waiting, let gate = report.error?.details?["gate"].string {
                try await folder.approve(gate, of: report.run)
                report = try await runner.resume(report.run, mayActivate: true)
            }
            run = try PlanComparison.Told(runner.show(report.run), report: report)
        } catch let error as DRError {
            run.refusal = error
        }
        return (PlanComparison.difference(plan: plan, run: run, saysWhy: what.site.dark == nil), plan, run)
    }

    /// The smallest runbook and past that still show a difference, tried for a while.
    static func shrunk(_ what: Case) async throws -> Case {
        var smallest = what
        var tries = 0
        var goesOn = true
        while goesOn, tries < 300 {
            goesOn = false
            for candidate in candidates(smallest) where tries < 300 {
                tries += 1
                if try await difference(candidate).found != nil {
                    (smallest, goesOn) = (candidate, true)
                    break
                }
            }
        }
        return smallest
    }

    private static func candidates(_ what: Case) -> [Case] {
        func changed(_ change: (inout Case) -> Void) -> Case {
            var copy = what
            change(&copy)
            return copy
        }
        return what.runbook.smaller.map { runbook in changed { $0.runbook = runbook } }
            + what.site.past.indices.map { index in changed { $0.site.past.remove(at: index) } }
            + (what.site.dark == nil ? [] : [changed { $0.site.dark = nil }])
            + what.site.tampering.indices.map { index in changed { $0.site.tampering.remove(at: index) } }
    }

    private static func report(_ what: Case) async throws -> String {
        let small = try await shrunk(what)
        let (found, plan, run) = try await difference(small)
        func list(_ told: PlanComparison.Told) -> String {
            told.deeds.map { deed in
                "  \(deed.key) \(deed.verb) \(deed.error.map { "\($0.code.rawValue): \($0.message)" } ?? "ok")\n"
                    + deed.effects.map { "      \($0)\n" }.joined()
            }.joined()
        }
        return """
            seed \(what.seed): \(found ?? "the smaller case is equal")
            \(small.site.description)\(small.runbook.text.replacing(GeneratedRunbook.prelude + "\n", with: ""))
            planned:
            \(list(plan))done:
            \(list(run))
            """
    }

    private static let environment = ProcessInfo.processInfo.environment
    private static let first = environment["PLAN_DIFFERENTIAL_SEED"].flatMap(UInt64.init)
    private static let count = environment["PLAN_DIFFERENTIAL"].flatMap(UInt64.init) ?? (first == nil ? 25 : 1)
    /// Among other tests a case waits most of the time, to see whether somebody works: several go on at once. Alone, each would take the other's work for its own.
    private static let lanes: Range<UInt64> = environment["PLAN_DIFFERENTIAL"] == nil && first == nil ? 0..<5 : 0..<1

    /// `PLAN_DIFFERENTIAL=2000` takes as many seeds, `PLAN_DIFFERENTIAL_SEED=N` one alone or the first.
    @Test(arguments: lanes)
    func `G4 for generated runbooks and states, the run does what its plan said, and the plan changes no byte`(lane: UInt64) async throws {
        let (environment, count) = (Self.environment, Self.count)
        let begin = (Self.first ?? 1) + lane
        var differing = 0
        var deeds = 0
        var refused = 0
        var effects = 0
        var verbs: [String: Int] = [:]
        for seed in stride(from: begin, to: begin - lane + count, by: Self.lanes.count) where differing < 5 {
            let what = Case(seed: seed)
            let (found, plan, _) = try await Self.difference(what)
            deeds += plan.deeds.count
            refused += plan.deeds.count { $0.error != nil }
            effects += plan.deeds.reduce(0) { $0 + $1.effects.count }
            for deed in plan.deeds { verbs[deed.verb, default: 0] += 1 }
            guard let found else { continue }
            if environment["PLAN_DIFFERENTIAL_BRIEF"] != nil {
                print("seed \(seed): \(found)")
                continue
            }
            differing += 1
            Issue.record("\(try await Self.report(what))")
        }
        if environment["PLAN_DIFFERENTIAL"] != nil {
            print("\(count) cases: \(deeds) actions, \(effects) effects, \(refused) refusals; \(verbs.sorted { $0.key < $1.key })")
        }
        #expect(differing == 0)
    }
}
