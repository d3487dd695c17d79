import DRModel
import DRSimulation
import Testing

struct FaultTests {
    private func place(_ path: [String], _ verb: String, _ input: Value = [:]) -> FaultPlace {
        .action(ActionPlace(JournalEntry(.intent, key: "0/1", path: path, verb: verb, payload: input)))
    }

    @Test(arguments: [
        ("failover/last-sync", true), ("last-sync", true), ("migrate", true), ("failover", true), ("failover/*", true),
        ("failover/stop", false), ("sync", false), ("west.commit", false), ("last-sync/failover", false),
    ])
    func `An action is named by the steps that lead to it and what is done there`(pattern: String, fits: Bool) {
        #expect(place(["failover"], "migrate", ["final": true]).matches(Fault(.error, at: pattern)) == fits)
    }

    @Test func `Steps between may be left out, and an application may be asked for`() {
        let stop = place(["failover", "ledger"], "stop", ["application": "ledger"])
        #expect(stop.matches(Fault(.error, at: "failover/stop")))
        #expect(stop.matches(Fault(.error, at: "failover/ledger/stop")))
        #expect(stop.matches(Fault(.error, at: "stop", application: "ledger")))
        #expect(!stop.matches(Fault(.error, at: "stop", application: "storefront")))
        #expect(!stop.matches(Fault(.error, at: "failback/stop")))
    }

    @Test func `A call of a port is named by where and what`() {
        #expect(FaultPlace.port("west", "commit").matches(Fault(.error, at: "west.commit")))
        #expect(FaultPlace.port("west", "commit").matches(Fault(.error, at: "*.commit")))
        #expect(!FaultPlace.port("west", "commit").matches(Fault(.error, at: "east.commit")))
        #expect(!FaultPlace.port("west", "commit").matches(Fault(.error, at: "commit")))
    }

    @Test func `A fault strikes at its time and once, or from then on`() {
        let plan = FaultPlan([Fault(.error, at: "stop", nth: 2), Fault(.slow, at: "stop", nth: 2, again: true), Fault(.error, at: "start")])
        let stop = place(["failover"], "stop")
        #expect(plan.strike(stop).isEmpty)
        #expect(plan.strike(stop).map(\.kind) == [.error, .slow])
        #expect(plan.strike(stop).map(\.kind) == [.slow])
        #expect(plan.unused.map(\.at) == ["start"])
    }

    @Test(arguments: [
        ("https://lb.example.com/*", "https://lb.example.com/pools/a", true), ("*", "", true), ("a*c*e", "abcde", true),
        ("a*c", "abcd", false), ("abc", "abc", true), ("abc", "abcd", false),
    ])
    func `A star in an answer's pattern stands for anything`(pattern: String, text: String, fits: Bool) {
        #expect(OutsideWorld.fits(["url": .string(pattern)], ["url": .string(text), "method": "GET"]) == fits)
    }
}
