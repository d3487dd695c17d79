import DRModel
import Testing

@testable import DRHost

@Suite struct ActivationGateTests {
    private func begun(confirmed: Bool?, _ entries: [JournalEntry]) -> [String] {
        let header = RunHeader(
            id: "r", runbook: "x", sources: [:], texts: [:], parameters: [:], configuration: "", who: "a@b", seed: 1,
            started: Instant(nanosecondsSince1970: 0), confirmed: confirmed)
        let records = entries.enumerated().map {
            JournalRecord(index: Int64($0.offset), time: Instant(nanosecondsSince1970: 0), entry: $0.element, hash: "")
        }
        return ActivationGate.begun(header, records).map(\.text).sorted()
    }

    @Test func `an activation goes on under the yes it was asked for under, and under no other`() {
        let start = JournalEntry(.intent, key: "0/5/1/do", verb: "start"), other = JournalEntry(.intent, key: "0/6/1/do", verb: "stop")
        let end = JournalEntry(.outcome, key: "0/5/1/do", verb: "start")
        let yes = JournalEntry(.resumed, key: "", payload: ["confirmed": true]), no = JournalEntry(.resumed, key: "")
        #expect(begun(confirmed: true, [start, other]) == ["r/0/5/1/do"])
        #expect(begun(confirmed: true, [start, end]).isEmpty)
        #expect(begun(confirmed: nil, [start]).isEmpty)
        #expect(begun(confirmed: nil, [yes, start, no]) == ["r/0/5/1/do"])
        #expect(begun(confirmed: true, [no, start]).isEmpty)
    }
}
