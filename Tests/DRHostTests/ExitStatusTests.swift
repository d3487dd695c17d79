import DRHost
import DRModel
import Foundation
import Testing

@testable import DRRunbook

@Suite struct ExitStatusTests {
    private func report(_ outcome: RunOutcome, _ code: ErrorCode? = nil, effects: [Effect] = []) -> RunReport {
        RunReport(
            run: "run-1", outcome: outcome, error: code.map { DRError($0, "what happened") }, rto: nil, applications: [], effects: effects)
    }

    private let effect = Effect(.scale, kind: "Deployment", namespace: "shop-web", name: "web", from: "2", to: "0", at: "east")

    @Test func `G12 every outcome has its own status`() {
        #expect(ExitStatus(report(.succeeded)).rawValue == 0)
        #expect(ExitStatus(report(.failed, .failed)).rawValue == 1)
        #expect(ExitStatus(report(.waiting)).rawValue == 3)
        #expect(ExitStatus(report(.targetMissed)).rawValue == 4)
        #expect(ExitStatus(report(.refused, .fenced)).rawValue == 5)
        #expect(ExitStatus(report(.partial, .clusterUnreachable, effects: [effect])).rawValue == 6)
        #expect(ExitStatus(report(.stopped, .stopped)).rawValue == 9)
    }

    @Test func `G12 unreachable is not failed, and a mistake in a runbook is one of usage only before the first effect`() {
        #expect(ExitStatus(report(.failed, .sourceUnreachable)).rawValue == 8)
        #expect(ExitStatus(report(.failed, .clusterUnreachable, effects: [effect])).rawValue == 8)
        #expect(ExitStatus(report(.failed, .invalidInput)).rawValue == 2)
        #expect(ExitStatus(report(.failed, .script)).rawValue == 2)
        #expect(ExitStatus(report(.failed, .invalidInput, effects: [effect])).rawValue == 1)
        #expect(ExitStatus(report(.refused, .runbook)).rawValue == 2)
        #expect(ExitStatus(report(.failed, .journalDamaged)).rawValue == 7)
        let checks: Value = [["id": "clusters-reachable", "state": "failed"], ["id": "capacity", "state": "ok"]]
        #expect(ExitStatus(DRError(.checksFailed, "a check failed", details: checks)).rawValue == 8)
        #expect(ExitStatus(DRError(.checksFailed, "a check failed", details: [["id": "capacity", "state": "failed"]])).rawValue == 5)
    }

    @Test(arguments: ErrorCode.allCases) func `every error code has a status other than done`(_ code: ErrorCode) {
        #expect(ExitStatus(DRError(code, "what happened")) != .done)
    }
}

@Suite struct TableTests {
    @Test func `columns are as wide as what stands in them`() {
        var table = Table("NAME", "STATE")
        table.add("ledger", "moved")
        table.add("a", "failed")
        #expect(table.lines() == ["NAME    STATE", "ledger  moved", "a       failed"])
    }

    @Test func `what does not fit goes on in the next line, and nothing is lost`() {
        var table = Table("NAME", "WHAT", "WHY")
        let what = String(repeating: "wordy ", count: 30), why = String(repeating: "x", count: 150)
        table.add("ledger", what, why)
        let lines = table.lines()
        #expect(lines.allSatisfy { $0.count <= 100 })
        #expect(lines.count > 3)
        let text = lines.joined()
        #expect(text.filter { $0 == "x" }.count == 150)
        #expect(text.components(separatedBy: "wordy").count == 31)
    }
}

@Suite struct StyleTests {
    @Test func `the terminal obeys our colors and nothing that somebody wrote`() {
        let style = Style(isTerminal: true, hasColor: true)
        #expect(Style.visible(style.bad("x") + style.faint("y")) == style.bad("x") + style.faint("y"))
        #expect(Style.visible("a\u{1B}[2Jb\u{1B}[Hc\u{1B}]0;t\u{7}") == "a\\u{1B}[2Jb\\u{1B}[Hc\\u{1B}]0;t\\u{7}")
        #expect(Style.visible(style.good("a\u{1B}[8mhidden")).contains("\\u{1B}[8mhidden"))
    }
}
