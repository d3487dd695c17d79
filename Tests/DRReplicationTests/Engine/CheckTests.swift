import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

struct CheckTests {
    func results(
        _ world: EngineWorld, _ applications: [ApplicationName] = ["ledger"], only: [String]? = nil, skip: [String: String] = [:],
        withoutSource: Bool = false
    ) async throws -> [CheckResult] {
        try await world.engine().checks(
            CheckOrder(pair: "east-west", applications: applications, only: only, skip: skip, withoutSource: withoutSource),
            Spoken("checks").call)
    }

    func result(_ id: String, _ world: EngineWorld, withoutSource: Bool = false) async throws -> CheckResult {
        try #require(try await results(world, only: [id], withoutSource: withoutSource).first)
    }

    @Test func `A sound world passes every check and is left as it was`() async throws {
        let world = try EngineWorld()
        try await world.engine().migrate(["ledger", "storefront"], Spoken("copy", run: "before"))
        for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } }
        let before = world.observable
        let commits = world.east.commits + world.west.commits
        let objects = world.vault.count
        let results = try await results(world, ["ledger", "storefront"])
        #expect(results.map(\.id) == ReplicationEngine.checkSummaries.map(\.id))
        #expect(results.filter { $0.state != .ok } == [])
        #expect(results.count >= 45)
        #expect(world.observable == before)
        #expect(world.east.commits + world.west.commits == commits)
        #expect(world.vault.count == objects)
        #expect(try await world.east.locks().isEmpty)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let id: String
        let state: CheckResult.State
        let message: String
        let breakIt: @Sendable (EngineWorld) async throws -> Void
        var testDescription: String { "\(id): \(message)" }

        init(
            _ id: String, _ state: CheckResult.State, _ message: String, _ breakIt: @escaping @Sendable (EngineWorld) async throws -> Void
        ) {
            self.id = id
            self.state = state
            self.message = message
            self.breakIt = breakIt
        }
    }

    static let faults: [Fault] = [
        Fault("clusters-reachable", .failed, "west cannot be reached") { $0.west.goAway() },
        Fault("object-store-reachable", .failed, "vault: vault cannot be reached") { $0.vault.goAway() },
        Fault("same-platform", .failed, "east is kubernetes, west is openshift") { $0.west.set { $0.facts.platform = "openshift" } },
        Fault("kubernetes-version", .warning, "east is v1.31.2, west is v1.30.9") { $0.west.set { $0.facts.version = "v1.30.9" } },
        Fault("kubernetes-version", .failed, "east is v1.31.2, west is v1.20.0") { $0.west.set { $0.facts.version = "v1.20.0" } },
        Fault("object-size-equal", .failed, "east uses 16 MiB, west uses 10 MiB") {
            $0.west.set { $0.facts.objectSize = ByteCount(10 << 20) }
        },
        Fault("secrets-provider-equal", .failed, "east uses kubernetes, west uses none") { $0.west.set { $0.facts.secretsProvider = nil } },
        Fault("lock-free", .failed, "ledger is locked at west by run other of o.lua (there, process 7) since 2026-03-01T02:00:00.000Z") {
            try await $0.west.lock("ledger", for: LockHolder(run: "other", runbook: "o.lua", host: "there", process: 7))
        },
        Fault("source-active", .failed, "ledger goes to east in epoch 4, but its activation there was not finished") { world in
            world.east.set {
                $0.documents[.application("ledger")] = [
                    "epoch": 3, "active": "east", "running": true, "originals": [:], "owned": [], "split_brain_risk": false,
                ]
            }
            world.west.set {
                $0.documents[.application("ledger")] = [
                    "epoch": 4, "active": "east", "running": false, "originals": [:], "owned": [], "split_brain_risk": false,
                ]
            }
        },
        Fault("claims-bound", .failed, "not bound at east: PersistentVolumeClaim shop-db/pg-data") {
            try $0.east.add("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: pg-data, namespace: shop-db }\nspec: {}\n")
        },
        Fault("claims-bound", .failed, "claims of ledger name what is not at east: PersistentVolume pg-data") {
            $0.east.set { $0.objects[ObjectKey(kind: "PersistentVolume", name: "pg-data")] = nil }
        },
        Fault("volumes-present", .failed, "missing at east: pg-data") { $0.east.memory.remove("pg-data") },
        Fault("volumes-supported", .failed, "pg-data holds a socket") { $0.east.memory.refuse("pg-data") },
        Fault(
            "workloads-holdable", .warning, "neither copied nor stopped, because no workload makes them: Pod shop-db/debug"
        ) {
            try $0.east.add("apiVersion: v1\nkind: Pod\nmetadata: { name: debug, namespace: shop-db }\n")
        },
        Fault(
            "workloads-holdable", .failed,
            "not known how to put at rest, so it would run at both clusters: Cache shop-db/sessions"
        ) {
            try $0.east.add(
                "apiVersion: example.com/v1\nkind: Cache\nmetadata: { name: sessions, namespace: shop-db }\nspec: { size: 3 }\n")
        },
        Fault("no-foreign-objects", .failed, "west already has StatefulSet shop-db/pg, which ledger did not make") {
            try $0.west.add("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: pg, namespace: shop-db }\n")
        },
        Fault("capacity", .failed, "west has 2 B free, the volumes take 3 B") { $0.west.set { $0.facts.free = ByteCount(2) } },
        Fault("capacity", .skipped, "west does not say how much is free") { $0.west.set { $0.facts.free = nil } },
        Fault("recovery-point-fresh", .warning, "west has no verified recovery point of ledger") { _ in },
        Fault("recovery-point-fresh", .warning, "ledger-e1-g1 of ledger is 1h old, its RPO target is 15m") { world in
            try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
            world.clock.advance(by: .seconds(3600))
        },
    ]

    @Test(arguments: faults) func `Each check names what is wrong, with its values and what to do`(fault: Fault) async throws {
        let world = try EngineWorld()
        if fault.id != "recovery-point-fresh" { #expect(try await result(fault.id, world).state == .ok) }
        try await fault.breakIt(world)
        let result = try await result(fault.id, world)
        #expect(result.state == fault.state)
        #expect(result.message == fault.message)
        #expect(fault.state == .skipped || (result.fix?.isEmpty == false && result.next?.hasPrefix("drrunbook ") == true))
    }

    @Test func `An application without a copy is told what makes the first one, as long as there is none`() async throws {
        var world = try EngineWorld()
        func steps(_ world: EngineWorld) async throws -> [String?] {
            let found = try await results(world, only: ["scheduled", "recovery-point-fresh"])
            return found.map { "\($0.id) \($0.state): \($0.fix ?? "-"): \($0.next ?? "-")" }
        }
        #expect(
            try await steps(world) == [
                "scheduled ok: -: -",
                "recovery-point-fresh warning: let schedule shop run; until then a disaster would lose everything: drrunbook serve",
            ])
        world.inventory.schedules[0].suspended = true
        let resume = #"resume schedule shop in a runbook: dr.resume_schedule { name = "shop" }"#
        #expect(
            try await steps(world) == [
                "scheduled warning: \(resume): drrunbook schedules",
                "recovery-point-fresh warning: \(resume); until then a disaster would lose everything: drrunbook schedules",
            ])
        world.inventory.schedules = []
        let declare = "declare a schedule of ledger over east-west in dr.yaml: it makes the first copy at once"
        #expect(
            try await steps(world) == [
                "scheduled warning: \(declare): drrunbook apply",
                "recovery-point-fresh warning: \(declare); until then a disaster would lose everything: drrunbook apply",
            ])
    }

    @Test func `A silent source leads to the question about a disaster, a silent destination to what is known of it`() async throws {
        let world = try EngineWorld()
        world.east.goAway()
        #expect(try await result("clusters-reachable", world).next == "drrunbook ready --disaster")
        world.west.goAway()
        #expect(try await result("clusters-reachable", world).next == "drrunbook status")
    }

    @Test func `What a check cannot read has a next step, too`() async throws {
        let world = try EngineWorld()
        world.west.set { $0.documents[.application("ledger")] = ["epoch": "seven"] }
        let failed = try await results(world).filter { $0.state == .failed }
        #expect(!failed.isEmpty)
        #expect(failed.allSatisfy { $0.fix?.isEmpty == false && $0.next?.hasPrefix("drrunbook ") == true }, "\(failed)")
    }

    @Test(arguments: ["object", "kind"]) func `A custom resource that is said to run nothing needs no rest`(by: String) async throws {
        let world = try EngineWorld()
        let note = "annotations: { drrunbook/hold: none }"
        try world.east.add(
            """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: { name: caches.example.com, \(by == "kind" ? note : "labels: {}") }
            spec: { group: example.com, names: { kind: Cache, plural: caches } }
            ---
            apiVersion: example.com/v1
            kind: Cache
            metadata: { name: sessions, namespace: shop-db, \(by == "object" ? note : "labels: {}") }
            spec: { size: 3 }

            """)
        #expect(try await result("workloads-holdable", world).state == .ok)
    }

    @Test func `G1 an agent that dr.yaml relies on and that does not work is told`() async throws {
        var world = try EngineWorld()
        #expect(try await result("agent-alive", world).message == "no cluster is to stop by itself")
        world.selfFence = ["east": .seconds(300)]
        let absent = try await result("agent-alive", world)
        #expect(absent.state == .warning)
        #expect(absent.message == "east stops nothing when it is cut off: no agent of it was ever seen")
        #expect(absent.fix == "keep `drrunbook agent east` running at its side")
        _ = try await world.engine().watch(
            "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken("agent", run: "agent-1").call)
        #expect(try await result("agent-alive", world).state == .ok)
        world.clock.advance(by: .seconds(51))
        #expect(try await result("agent-alive", world).state == .warning)
    }

    @Test(arguments: [true, false]) func `A schedule that cannot follow an application is named`(bothWays: Bool) async throws {
        var world = try EngineWorld()
        _ = try await world.engine().ensureSchedule(world.inventory.schedules[0], Spoken("schedule", run: "before").call)
        try await world.engine().move("ledger", run: "before")
        world.inventory.pairs = [
            ClusterPair(name: "east-west", source: "east", destination: "west", objectStore: "vault", bothWays: bothWays)
        ]
        let result = try await result("schedule-not-running", world)
        #expect(
            result.message
                == (bothWays ? "shop" : "schedule shop copies ledger from east only, but it is active at west"))
        #expect(result.state == (bothWays ? .ok : .warning))
    }

    @Test func `A source that is not asked is skipped with its reason, and not touched`() async throws {
        let world = try EngineWorld()
        let engine = world.engine(["east": BlackHole(name: "east"), "west": world.west])
        let results = try await engine.checks(
            CheckOrder(pair: "east-west", applications: ["ledger"], withoutSource: true), Spoken("checks").call)
        #expect(results.first { $0.id == "volumes-present" }?.state == .skipped)
        #expect(results.first { $0.id == "volumes-present" }?.message == "east is not asked in disaster mode")
        #expect(results.first { $0.id == "recovery-point-fresh" }?.state == .failed)
    }

    @Test func `G12 what cannot be asked is unknown, not failed; only reachability fails`() async throws {
        let world = try EngineWorld()
        world.east.goAway()
        let results = try await results(world)
        #expect(results.filter { $0.state == .failed }.map(\.id) == ["clusters-reachable"])
        let unknown = results.filter { $0.state == .skipped }
        #expect(unknown.contains { $0.id == "volumes-present" })
        #expect(unknown.allSatisfy { $0.message == "unknown: east cannot be reached" })
    }

    @Test func `G8 unknown checks are refused with the nearest name, skipped ones keep their reason`() async throws {
        let world = try EngineWorld()
        let error = await expectError(.unknownName) { try await results(world, only: ["lock-fre"]) }
        #expect(error?.message == "there is no check \"lock-fre\" (did you mean \"lock-free\"?)")
        #expect(await expectError(.unknownName) { try await results(world, skip: ["nope": "because"]) } != nil)
        let skipped = try await results(world, only: ["lock-free"], skip: ["lock-free": "we are alone"])
        #expect(skipped == [CheckResult(id: "lock-free", state: .skipped, message: "skipped: we are alone")])
    }
}
