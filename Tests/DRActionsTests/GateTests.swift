import DRModel
import DRSupport
import Testing

@testable import DRActions

@Suite struct GateTests {
    private static let opened = Instant(nanosecondsSince1970: 1_767_225_600_000_000_000)
    private static let rules = ApprovalRules(
        people: ["alice", "bob", "carol"].map { ApprovalRules.Person(name: $0, key: "ssh-ed25519 \($0)") },
        groups: ["dba": ["bob", "carol"]])

    private func gate(
        quorum: Int = 1, groups: [String] = [], notAuthor: Bool = true, author: String = "alice@host", refusesOnTimeout: Bool = true
    ) -> Gate {
        Gate(
            name: "cutover", quorum: quorum, groups: groups, notAuthor: notAuthor, timeout: .seconds(3600),
            refusesOnTimeout: refusesOnTimeout,
            author: author, run: "r1", place: "0/1/1/do", plan: "p", record: "h", opened: Self.opened)
    }

    private func said(
        _ person: String, key: String? = "own", account: String = "shell@host", decision: Approval.Decision = .approve,
        gate: String = "cutover",
        place: String = "0/1/1/do", plan: String = "p", record: String = "h", run: RunID = "r1", breakGlass: String? = nil, after: Int = 1
    ) -> (approval: Approval, time: Instant) {
        let statement = GateStatement(
            run: run, gate: gate, place: place, decision: decision, person: person, plan: plan, record: record, comment: nil,
            breakGlass: breakGlass)
        return (
            Approval(statement: statement, key: key == "own" ? "SHA256:\(person)" : key, account: account, signature: nil),
            Self.opened + .seconds(Int64(after))
        )
    }

    private func isOpen(_ decision: Gate.Decision) -> Bool { if case .open = decision { true } else { false } }
    private func passed(_ decision: Gate.Decision) -> [String]? {
        if case .passed(let answer) = decision { answer["by"].list?.compactMap(\.string) } else { nil }
    }
    private func code(_ decision: Gate.Decision) -> ErrorCode? { if case .refused(let error) = decision { error.code } else { nil } }

    @Test func `G10 a quorum is of different people with different keys`() {
        let two = gate(quorum: 2)
        let now = Self.opened + .seconds(10)
        #expect(isOpen(two.decide([said("bob")], Self.rules, now: now)))
        #expect(isOpen(two.decide([said("bob"), said("bob")], Self.rules, now: now)))
        #expect(isOpen(two.decide([said("bob"), said("carol", key: "SHA256:bob")], Self.rules, now: now)))
        #expect(passed(two.decide([said("bob"), said("carol")], Self.rules, now: now)) == ["bob", "carol"])
        let noKeys = ApprovalRules()
        #expect(isOpen(two.decide([said("bob", key: nil), said("carol", key: nil)], noKeys, now: now)))
        #expect(
            passed(two.decide([said("bob", key: nil, account: "a@h"), said("carol", key: nil, account: "b@h")], noKeys, now: now)) != nil)
    }

    @Test func `G10 neither the author, nor strangers, nor what is unsigned counts where there are keys`() {
        let now = Self.opened + .seconds(10)
        #expect(isOpen(gate().decide([said("alice")], Self.rules, now: now)))
        #expect(passed(gate(notAuthor: false).decide([said("alice")], Self.rules, now: now)) == ["alice"])
        #expect(isOpen(gate().decide([said("mallory")], Self.rules, now: now)))
        #expect(isOpen(gate().decide([said("bob", key: nil)], Self.rules, now: now)))
        #expect(isOpen(gate().decide([said("bob", key: nil, account: "alice@host")], ApprovalRules(), now: now)))
        #expect(isOpen(gate(groups: ["dba"]).decide([said("dave")], ApprovalRules(groups: ["dba": ["bob"]]), now: now)))
        #expect(passed(gate(groups: ["dba"]).decide([said("bob")], Self.rules, now: now)) == ["bob"])
    }

    @Test func `G10 an approval counts only for the gate, run, plan and record it was given for`() {
        let now = Self.opened + .seconds(10)
        for other in [
            said("bob", gate: "other"), said("bob", place: "0/2/1/do"), said("bob", plan: "q"), said("bob", record: "i"),
            said("bob", run: "r2"),
        ] {
            #expect(isOpen(gate().decide([other], Self.rules, now: now)))
        }
    }

    @Test func `G10 a rejection closes a gate, and so does time`() {
        let now = Self.opened + .seconds(10)
        #expect(code(gate().decide([said("bob", decision: .reject), said("carol")], Self.rules, now: now)) == .rejected)
        #expect(isOpen(gate().decide([said("mallory", decision: .reject)], Self.rules, now: now)))
        #expect(code(gate().decide([], Self.rules, now: Self.opened + .seconds(3601))) == .gateTimeout)
        #expect(code(gate().decide([said("bob", after: 3601)], Self.rules, now: Self.opened + .seconds(3602))) == .gateTimeout)
        #expect(passed(gate().decide([said("bob", after: 3599)], Self.rules, now: Self.opened + .seconds(9999))) == ["bob"])
    }

    @Test func `G10 a gate that waits on after its time is passed and rejected by people then, and by nobody else`() {
        let late = Self.opened + .seconds(9000)
        let waiting = gate(refusesOnTimeout: false)
        #expect(isOpen(waiting.decide([], Self.rules, now: late)))
        #expect(passed(waiting.decide([said("bob", after: 8000)], Self.rules, now: late)) == ["bob"])
        #expect(code(waiting.decide([said("bob", decision: .reject, after: 8000)], Self.rules, now: late)) == .rejected)
        #expect(isOpen(waiting.decide([said("alice", after: 8000), said("mallory", after: 8000)], Self.rules, now: late)))
        #expect(code(gate().decide([said("bob", after: 8000)], Self.rules, now: late)) == .gateTimeout)
    }

    @Test func `G10 the author is the person whose account it is, whatever that account is called`() {
        func person(_ name: String, _ key: String, _ accounts: [String]? = nil) -> ApprovalRules.Person {
            ApprovalRules.Person(name: name, key: "ssh-ed25519 \(key)", accounts: accounts)
        }
        let now = Self.opened + .seconds(10)
        let rules = ApprovalRules(people: [
            person("alice", "a", ["deploy@db", "alice"]), person("root", "r", ["rita@desk"]), person("bob", "b"), person("alias", "a", []),
        ])
        func byAccount(_ account: String, _ who: String) -> [String]? { passed(gate(author: account).decide([said(who)], rules, now: now)) }
        #expect(byAccount("deploy@db", "alice") == nil)
        #expect(byAccount("deploy@other", "alice") == ["alice"])
        #expect(byAccount("alice@anywhere", "alice") == nil)
        #expect(byAccount("deploy@db", "alias") == nil, "the same key is the same person")
        #expect(byAccount("root@db", "root") == ["root"], "an account of that name is not hers")
        #expect(byAccount("rita@desk", "root") == nil)
        #expect(byAccount("bob@db", "bob") == nil, "where nothing is said, the account of the same name is")
        #expect(byAccount("ci@db", "bob") == ["bob"])
        #expect(isOpen(gate(author: "eve@db").decide([said("eve", key: nil, account: "x@y")], ApprovalRules(), now: now)))
    }

    @Test func `G10 breaking the glass needs a reason and an identity, and says so`() throws {
        let now = Self.opened + .seconds(10)
        let three = gate(quorum: 3, groups: ["dba"])
        #expect(isOpen(three.decide([said("alice", breakGlass: "")], Self.rules, now: now)))
        #expect(isOpen(three.decide([said("alice", key: nil, breakGlass: "fire")], Self.rules, now: now)))
        guard case .passed(let answer) = three.decide([said("alice", breakGlass: "fire")], Self.rules, now: now) else {
            Issue.record("not passed")
            return
        }
        #expect(answer["break_glass"].string == "fire")
    }

    @Test func `G10 no mix of identities that lacks one good approval passes a gate`() {
        let random = CountingRandom(from: 7)
        func pick<T>(_ list: [T]) -> T { list[Int(random.next() >> 33) % list.count] }
        for _ in 0..<2000 {
            let bad = (0..<(1 + Int(random.next() >> 33) % 6)).map { _ in
                switch Int(random.next() >> 33) % 6 {
                case 0: said("alice", account: pick(["bob@h", "alice@host"]))
                case 1: said(pick(["bob", "carol", "mallory"]), key: nil, account: pick(["a@h", "b@h"]))
                case 2: said(pick(["mallory", "", "BOB", "bob "]))
                case 3: said(pick(["bob", "carol"]), plan: pick(["", "q"]))
                case 4: said(pick(["bob", "carol"]), record: pick(["", "i"]))
                default: said(pick(["bob", "carol"]), after: 4000)
                }
            }
            #expect(passed(gate().decide(bad, Self.rules, now: Self.opened + .seconds(5000))) == nil)
        }
    }

    // MARK: In a run

    private let runbook = """
        dr.migrate { pair = "east-west", applications = { "ledger" } }
        local g = dr.approve { name = "cutover", message = "Go?", quorum = 1, show = { lag = 3 } }
        dr.log("%s %s", g.by[1], g.comment)
        dr.migrate { pair = "east-west", applications = { "storefront" } }
        """

    private func approve(_ stage: Stage, _ decision: Approval.Decision = .approve) throws {
        let header = try stage.journal.header(of: "any"), records = try stage.journal.records(of: header.id)
        let gate = try #require(try OpenGate.all(header: header, records: records, rules: ApprovalRules(), now: stage.clock.now()).first)
        let statement = GateStatement(
            run: header.id, gate: gate.name, place: gate.place, decision: decision, person: "bob", plan: gate.plan, record: gate.record,
            comment: "fine", breakGlass: nil)
        let approval = Approval(statement: statement, key: nil, account: "bob@desk", signature: nil)
        _ = try stage.journal.append(
            JournalEntry(.approval, key: gate.place, verb: "approve", payload: try Value(encoding: approval)), to: header.id,
            at: stage.clock.now())
    }

    @Test func `G2 G10 a run parks at a gate, and passes it only with an approval, wherever it is killed`() async throws {
        let whole = Stage()
        let parked = try await whole.run(runbook)
        #expect(parked.outcome == .waiting)
        #expect(parked.error?.code == .waiting)
        #expect(whole.engine.calls == ["migrate ledger"])
        let again = Stage(journal: whole.journal)
        #expect(try await again.resume().outcome == .waiting)
        try approve(whole)
        let stage = Stage(journal: whole.journal)
        #expect(try await stage.resume().outcome == .succeeded)
        #expect(stage.engine.calls == ["migrate storefront"])
        #expect(stage.logs == ["bob fine"])
        let count = whole.journal.entries.count
        for cut in 0..<count {
            let cutStage = Stage(journal: whole.journal.cut(after: cut))
            let hasApproval = cutStage.journal.entries.contains { $0.kind == .approval }
            #expect(try await cutStage.resume().outcome == (hasApproval ? .succeeded : .waiting), "cut after \(cut)")
        }
    }

    @Test func `a rejected gate raises what a runbook can catch`() async throws {
        let stage = Stage()
        _ = try await stage.run("local ok, e = pcall(dr.approve, { name = 'a', message = 'Go?' }) dr.log('%s', e.code)")
        try approve(stage, .reject)
        #expect(try await stage.resume().outcome == .succeeded)
        #expect(stage.logs == ["rejected"])
    }

    @Test func `a window that is closed parks the run without locks, and one that is over raises`() async throws {
        let body = #"dr.window { opens = "2026-01-02T00:00:00Z", closes = "2026-01-02T04:00:00Z" } dr.log("in")"#
        let stage = Stage()
        let report = try await stage.run(body)
        #expect(report.outcome == .waiting)
        #expect(report.error?.message == "the window opens at 2026-01-02T00:00:00.000Z")
        #expect(stage.engine.released)
        try await stage.clock.sleep(for: .seconds(25 * 3600))
        #expect(try await stage.resume().outcome == .succeeded)
        #expect(stage.logs == ["in"])
        let late = try await Stage().run(body.replacing("2026", with: "2025"))
        #expect(late.error?.code == .gateTimeout)
    }

    @Test(arguments: [
        ("* * * * *", 60), ("30 0 * * *", 1800), ("0 22 * * 6", 2 * 86400 + 22 * 3600), ("0 0 29 2 *", 789 * 86400),
        ("*/15 3-4 * * 1,5", 86400 + 3 * 3600),
    ])
    func `cron finds the next minute that fits`(text: String, seconds: Int) throws {
        // 1 January 2026, a Thursday, midnight in UTC.
        let pattern = try CronPattern(parameter: .string(text), in: ParameterSurroundings(inventory: Inventory()))
        let next = try #require(pattern.next(after: Self.opened, in: .utc))
        #expect(next == Self.opened + .seconds(Int64(seconds)), "\(next)")
        #expect(pattern.last(atOrBefore: next + .seconds(59), in: .utc) == next)
        #expect(pattern.next(after: Self.opened - .seconds(3600), in: ZoneRules(offset: 3600)) == next - .seconds(3600))
    }

    // Berlin: 02:00 to 03:00 is skipped on 29 March (at 01:00 UTC), and shown twice on 25 October (until 01:00 UTC). Beirut skips midnight.
    @Test(arguments: [
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        ("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]),
        ("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"]),
        // 02:00 is shown as 03:00, and 03:00 is too.
        (
            "0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"]
        ),
        ("0 0 29 3 *", "Asia/Beirut", "2026-03-20T00:00:00Z", ["2026-03-28T22:00:00Z", "2027-03-28T21:00:00Z"]),
        (
            "0 22 * * 6", "America/New_York", "2026-03-01T00:00:00Z",
            ["2026-03-01T03:00:00Z", "2026-03-08T03:00:00Z", "2026-03-15T02:00:00Z"]
        ),
    ])
    func `cron in a zone keeps times of day once a day, and every hour in each hour that passes`(
        text: String, zone: String, after: String, expected: [String]
    ) throws {
        let pattern = try CronPattern(parameter: .string(text), in: ParameterSurroundings(inventory: Inventory()))
        let rules = try ZoneFiles.rules(of: zone)
        var now = try Instant(rfc3339: after)
        for text in expected {
            let next = try #require(pattern.next(after: now, in: rules))
            #expect(try next == Instant(rfc3339: text))
            #expect(pattern.last(atOrBefore: next + .seconds(59), in: rules) == next)
            now = next
        }
    }

    @Test func `a window of a zone opens by its clocks, and a zone that is none is found at the call`() async throws {
        let stage = Stage()
        let body = #"dr.window { cron = "0 22 * * 6", length = "4h", zone = "Europe/Berlin" } dr.log("in")"#
        let report = try await stage.run(body)
        #expect(report.error?.message == "the window opens at 2026-01-03T21:00:00.000Z")
        let wrong = try await Stage().run(body.replacing("Berlin", with: "Berln"))
        #expect(wrong.error?.code == .unknownName)
        #expect(wrong.error?.message.contains(#"zone "Europe/Berln" on this host (did you mean "Europe/Berlin"?)"#) == true)
    }

    @Test(arguments: ["* * * *", "60 * * * *", "a * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "* * * * 8", "1,,2 * * * *"])
    func `G8 what is no cron is refused`(text: String) {
        #expect(throws: DRError.self) { try CronPattern(parameter: .string(text), in: ParameterSurroundings(inventory: Inventory())) }
    }
}
