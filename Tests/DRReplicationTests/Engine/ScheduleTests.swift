import DRModel
@testable import DRReplication
import DRSimulation
import Testing

struct ScheduleTests {
    private func instant(_ text: String) throws -> Instant { try Instant(rfc3339: text) }

    private func machine(_ policy: SchedulePolicy, zone: String? = nil, suspended: Bool = false) throws -> ScheduleMachine {
        ScheduleMachine(
            schedule: Schedule(name: "shop", pair: "east-west", applications: ["ledger"], policy: policy, suspended: suspended),
            zone: try ZoneFiles.rules(of: zone))
    }

    @Test func `An interval runs at once, then from slot to slot, and makes up for missed slots with one copy`() throws {
        let machine = try machine(.interval(.seconds(900)))
        let start = try instant("2026-03-01T10:00:00Z")
        #expect(try machine.decide(nil, since: start, now: start) == .run(slot: start))
        let past = ScheduleRecord(slot: start, at: start + .seconds(40), failures: 0)
        #expect(try machine.decide(past, since: start, now: start + .seconds(899)) == .wait(until: start + .seconds(900)))
        #expect(try machine.decide(past, since: start, now: start + .seconds(9000)) == .run(slot: start + .seconds(9000)))
        #expect(
            try self.machine(.interval(.seconds(900)), suspended: true).decide(past, since: start, now: start + .seconds(9000))
                == .suspended)
    }

    @Test func `After failures the pause doubles, and the next slot ends it`() throws {
        let machine = try machine(.interval(.seconds(900)))
        let start = try instant("2026-03-01T10:00:00Z")
        for (failures, pause) in [(1, 30), (2, 60), (3, 120), (9, 900)] {
            let past = ScheduleRecord(slot: start, at: start, failures: failures)
            #expect(try machine.decide(past, since: start, now: start + .seconds(1)) == .wait(until: start + .seconds(pause)))
            #expect(try machine.decide(past, since: start, now: start + .seconds(pause)) == .run(slot: start + .seconds(pause)))
        }
    }

    @Test(
        arguments: [
            (SchedulePolicy.daily(at: "02:15", zone: nil), "UTC", "2026-03-01T02:15:00Z", "2026-03-02T02:15:00Z"),
            (.daily(at: "22:00", zone: nil), "America/New_York", "2026-01-10T12:00:00Z", "2026-01-11T03:00:00Z"),
            // Clocks skip 02:00 to 03:00 in this night, and show it twice in that one.
            (.daily(at: "02:30", zone: nil), "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
            (.daily(at: "02:30", zone: nil), "Europe/Berlin", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"),
            (.daily(at: "02:30", zone: nil), "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            (.daily(at: "02:30", zone: nil), "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            (.weekly(day: "sunday", at: "04:00", zone: nil), "UTC", "2026-11-26T12:00:00Z", "2026-11-29T04:00:00Z"),
            (.weekly(day: "thursday", at: "04:00", zone: nil), "UTC", "2026-11-26T12:00:00Z", "2026-12-03T04:00:00Z"),
            (.monthly(day: 31, at: "01:00", zone: nil), "UTC", "2026-02-01T00:00:00Z", "2026-02-28T01:00:00Z"),
            (.monthly(day: 31, at: "01:00", zone: nil), "UTC", "2026-02-28T01:00:00Z", "2026-03-31T01:00:00Z"),
        ])
    func `A slot is the next time the clocks of its zone show it`(
        policy: SchedulePolicy, zone: String, after: String, next: String
    ) throws {
        #expect(try machine(policy, zone: zone).slot(after: instant(after)) == instant(next))
    }

    @Test func `A schedule copies each application from where it is live, there and back`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        func run(_ name: String) async throws -> [ScheduleCopy] {
            let copies = try await engine.runSchedule("shop", slot: world.clock.now(), Spoken(name, run: RunID("serve-\(name)")).call)
            try await engine.release(run: RunID("serve-\(name)"))
            world.clock.advance(by: .seconds(60))
            return copies
        }
        func status() async throws -> ApplicationStatus {
            try await engine.status(of: ["ledger"], without: [], Spoken("status").call)[0]
        }
        #expect(try await run("first").map(\.from) == ["east", "east"])
        #expect(try await status().protected)
        let (moved, _) = try await engine.move("ledger")
        let unprotected = try await status()
        #expect(!unprotected.protected && unprotected.unprotected_since == world.clock.now())
        #expect(moved.active_at == "west")
        #expect(try await run("second").map(\.from) == ["west", "east"])
        let again = try await status()
        #expect(again.protected && again.unprotected_since == nil && again.last_point == "ledger-e2-g1")
        try await engine.move("ledger", reversed: true, run: "back")
        #expect(try await run("third").map(\.from) == ["east", "east"])
        #expect(try await status().protected)
    }

    @Test func `What fails for one application is said, does not keep the others from being copied, and is tried again`() async throws {
        let world = try EngineWorld()
        world.east.memory.remove("pg-data")
        let engine = world.engine()
        let copies = try await engine.runSchedule("shop", slot: world.clock.now(), Spoken("serve").call)
        #expect(copies.map { $0.error?.code } == [.volumeMissing, nil])
        let status = try #require(try await engine.schedules(since: world.clock.now()).first)
        #expect(status.failures == 1 && status.due == nil && status.next == world.clock.now() + .seconds(30))
        #expect(status.error?.contains("pg-data") == true)
        world.east.memory.write("one", to: "pg-data")
        #expect(try await engine.runSchedule("shop", slot: world.clock.now(), Spoken("again").call).allSatisfy { $0.error == nil })
        let mended = try #require(try await engine.schedules(since: world.clock.now()).first)
        #expect(mended.failures == 0 && mended.next == world.clock.now() + .seconds(900))
    }

    @Test func `One schedule that nobody can tell the time of does not keep the others from running`() async throws {
        var world = try EngineWorld()
        let bad = Schedule(
            name: "bad", pair: "east-west", applications: ["ledger"], policy: .daily(at: "02:30", zone: "Europe/Berln"),
            retain: Retention(last: 3))
        world.inventory.schedules.insert(bad, at: 0)
        let listed = try await world.engine().schedules(since: world.clock.now())
        #expect(listed.map(\.schedule.name) == ["bad", "shop"])
        #expect(listed[0].isBroken && listed[0].error?.contains("Europe/Berln") == true)
        #expect(!listed[1].isBroken && listed[1].due != nil)
        // The same of a record of its past that is damaged.
        world.inventory.schedules.removeFirst()
        world.west.set { $0.documents[DocumentPath("scheduled", "shop")] = "rubbish" }
        world.inventory.schedules.append(
            Schedule(
                name: "web", pair: "east-west", applications: ["storefront"], policy: .interval(.seconds(900)), retain: Retention(last: 3)))
        let damaged = try await world.engine().schedules(since: world.clock.now())
        #expect(damaged.map(\.isBroken) == [true, false])
    }

    @Test func `What dr.yaml declares is created, changed and removed; what a runbook made is left alone`() async throws {
        var world = try EngineWorld()
        func declare(_ name: String, as owner: String = "host:dr.yaml") async throws -> [String] {
            let spoken = Spoken(name, run: "apply")
            _ = try await world.engine().declare(as: owner, spoken.call)
            return spoken.texts
        }
        #expect(
            try await declare("first") == [
                "create ClusterPair east-west @east", "create ClusterPair east-west @west", "create Schedule shop @west",
            ])
        #expect(try await declare("again") == [])
        _ = try await world.engine().setSuspended(true, schedule: "shop", Spoken("suspend").call)
        _ = try await world.engine().ensureSchedule(
            Schedule(name: "own", pair: "east-west", applications: ["ledger"], policy: .interval(.seconds(60))), Spoken("verb").call)

        var changed = world.inventory.schedules[0]
        changed.policy = .interval(.seconds(300))
        world.inventory.schedules = [changed]
        #expect(try await declare("changed") == ["patch Schedule shop policy @west"])
        let (stands, _) = try await world.engine().schedule("shop")
        #expect(stands.policy == .interval(.seconds(300)) && stands.suspended)

        // A zone that was wrong is put right the same way.
        changed.policy = .daily(at: "02:30", zone: "Europe/Berln")
        world.west.set { $0.documents[.schedule("shop")] = try? Value(encoding: changed) }
        changed.policy = .daily(at: "02:30", zone: "Europe/Berlin")
        world.inventory.schedules = [changed]
        #expect(try await declare("mended") == ["patch Schedule shop policy @west"])

        world.inventory.schedules = []
        #expect(try await declare("removed") == ["delete Schedule shop @west"])
        #expect(try await world.engine().schedules(since: world.clock.now()).map(\.schedule.name) == ["own"])
        #expect(try await declare("still") == [])
    }

    @Test func `What was not shown is not changed, whatever others did since`() async throws {
        let world = try EngineWorld()
        let shown = Spoken("shown", run: "apply")
        _ = try await world.engine().declare(as: "here", shown.call)
        let nothing = Spoken("nothing", run: "apply")
        _ = try await world.engine().declare(as: "here", nothing.call)
        #expect(nothing.texts == [])
        // Between the look and the yes.
        var other = world.inventory.schedules[0]
        other.policy = .interval(.seconds(60))
        let theirs = try Value(encoding: other)
        world.west.set { $0.documents[.schedule("shop")] = theirs }
        let late = Spoken("late", run: "apply")
        let error = await expectError(.conflict) {
            try await world.engine().declare(as: "here", shown: nothing.call.effects.effects, late.call)
        }
        #expect(error?.message.contains("\"patch Schedule shop policy @west\" was not among what was shown") == true)
        #expect(late.texts == [] && world.west.allDocuments[.schedule("shop")] == theirs)
        // What was shown is made so, whatever it takes less.
        let again = Spoken("again", run: "apply")
        let patch = Effect(.patch, kind: "Schedule", name: "shop", to: "policy", at: "west")
        _ = try await world.engine().declare(as: "here", shown: shown.call.effects.effects + [patch], again.call)
        #expect(again.texts == [patch.text])
    }

    @Test func `A schedule that another dr.yaml declares is left alone unless all its applications are declared here`() async throws {
        var world = try EngineWorld()
        _ = try await world.engine().declare(as: "a:dr.yaml", Spoken("a", run: "apply").call)
        world.inventory.schedules = []
        let storefront = world.inventory.applications.removeLast()
        let spoken = Spoken("b", run: "apply")
        _ = try await world.engine().declare(as: "b:dr.yaml", spoken.call)
        #expect(spoken.texts == [])
        world.inventory.applications.append(storefront)
        let moved = Spoken("c", run: "apply")
        _ = try await world.engine().declare(as: "b:dr.yaml", moved.call)
        #expect(moved.texts == ["delete Schedule shop @west"])
    }

    @Test func `A patch is made where the application is live, can be taken back, and is fenced elsewhere`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        let object = ObjectOrder(cluster: "east", kind: "ConfigMap", namespace: "shop-web", name: "web")
        let before = world.east.text("ConfigMap", "web")
        let spoken = Spoken("patch")
        let report = try await engine.patch(
            PatchOrder(object: object, application: "storefront", patch: ["data": ["mode": "read-only", "why": "drill"]]), spoken.call)
        #expect(report.changed && spoken.texts == ["patch ConfigMap shop-web/web @east"])
        #expect(try await engine.objects(object, Spoken("get").call).first?["data"]["mode"] == "read-only")
        let back = try await engine.patch(
            PatchOrder(object: object, application: "storefront", patch: report.inverse), Spoken("back").call)
        #expect(back.changed && world.east.text("ConfigMap", "web") == before)
        try await engine.release(run: "run-1")
        try await engine.move("storefront", run: "move")
        #expect(
            await expectError(.fenced) {
                try await engine.patch(
                    PatchOrder(object: object, application: "storefront", patch: ["data": ["mode": "x"]]), Spoken("late").call)
            } != nil)
        #expect(
            await expectError(.notAllowed) {
                let other = ObjectOrder(cluster: "east", kind: "StatefulSet", namespace: "shop-db", name: "pg")
                return try await engine.patch(PatchOrder(object: other, application: "ledger", patch: ["x": "y"]), Spoken("a").call)
            } == nil)
    }

    @Test func `Waiting for an object ends when its processes answer, and says what it was when they do not`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        let pg = ObjectOrder(cluster: "east", kind: "StatefulSet", namespace: "shop-db", name: "pg")
        world.east.set { $0.slowness = 3 }
        let begun = world.clock.now()
        let ready = try await engine.waitReady(pg, condition: "Ready", timeout: .seconds(60), Spoken("wait").call)
        #expect(ready - begun == .seconds(3))
        world.east.set { $0.slowness = 100 }
        #expect(
            await expectError(.timeout) {
                try await engine.waitReady(pg, condition: "Ready", timeout: .seconds(5), Spoken("wait").call)
            } != nil)
        let none = ObjectOrder(cluster: "east", kind: "StatefulSet", namespace: "shop-db", name: "nothing")
        #expect(
            await expectError(.notFound) { try await engine.waitReady(none, condition: "Ready", timeout: .zero, Spoken("w").call) } != nil)
    }
}
