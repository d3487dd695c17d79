import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

extension ReplicationEngine {
    /// A drill of some applications, one clone after the other; what the last clone reported.
    @discardableResult
    func drill(
        _ applications: [ApplicationName], lease: Duration = .seconds(3600), suffix: String = "drill", _ spoken: Spoken
    ) async throws -> CloneReport {
        func part(_ name: String) -> EngineCall {
            EngineCall(
                key: spoken.call.key.part(name), holder: spoken.call.holder, effects: spoken.call.effects, points: spoken.call.points)
        }
        let drill = try await openDrill(
            DrillOrder(pair: "east-west", applications: applications, lease: lease, suffix: suffix), part("open"))
        var last: CloneReport?
        for name in applications {
            last = try await startClone(CloneOrder(drill: drill.id, cluster: drill.cluster, application: name), part("clone-\(name)"))
        }
        return try #require(last)
    }
}

struct DrillTests {
    /// Of a drill that was opened by `drill` above with this call's key.
    static func id(of key: String) throws -> DrillID { try DrillID("drill-\(Digest.hex(of: "\(key)/open").prefix(10))") }

    /// All that a drill might leave behind, records of its own and keys left out.
    private func inventory(_ world: EngineWorld) -> String {
        [world.east, world.west].map { cluster in
            let documents = cluster.allDocuments.filter { entry in !["drilled/", "removed/"].contains { entry.key.text.hasPrefix($0) } }
                .sorted { $0.key < $1.key }
            return "\(cluster.observable) \(documents.map { "\($0.key)=\($0.value.json())" }) \(cluster.memory.left) "
                + "\(cluster.state.withLock { $0.processes.map { "\($0.key)=\($0.value)" }.sorted() })"
        }.joined(separator: "\n")
    }

    private func copied() async throws -> (EngineWorld, ReplicationEngine) {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.migrate(["ledger", "storefront"], Spoken("copy", run: "before"))
        try await engine.release(run: "before")
        return (world, engine)
    }

    @Test func `G5 I13 a drill starts a clone under names of its own, with the data of its point, and touches nothing else`() async throws {
        let (world, engine) = try await copied()
        let east = world.east.observable
        let spoken = Spoken("drill")
        let report = try await engine.drill(["ledger", "storefront"], spoken)
        #expect(world.west.memory.read("pg-data-drill") == "one")
        #expect(world.west.memory.read("pg-data") == nil)
        #expect(world.west.text("PersistentVolumeClaim", "pg-data")?.contains("volumeName: pg-data-drill") == true)
        #expect(world.west.text("StatefulSet", "pg")?.contains("namespace: shop-db-drill") == true)
        #expect(world.west.processes("pg") == 3 && world.east.processes("pg") == 3)
        #expect(try world.west.replicas("Deployment", "web") == 2)
        #expect(world.west.text("CronJob", "vacuum")?.contains("suspend: true") == true)
        #expect(world.east.observable == east)
        #expect(report.recovery_point == "storefront-e1-g1")
        let status = try await engine.status(of: ["ledger"], without: [], Spoken("status").call)[0]
        #expect(status.active_at == "east" && status.epoch == .first && status.last_drill?.recovery_point == "ledger-e1-g1")
        #expect(spoken.texts.contains("materialise PersistentVolume pg-data-drill rp#1 @west"))
        #expect(spoken.texts.contains("scale StatefulSet shop-db-drill/pg 0->3 @west"))
        #expect(!spoken.texts.contains { $0.contains("@east") })
    }

    @Test func `G5 after clean-up the inventory is what it was before the drill`() async throws {
        let (world, engine) = try await copied()
        let before = inventory(world)
        try await engine.drill(["ledger", "storefront"], Spoken("drill"))
        #expect(inventory(world) != before)
        let ended = try await engine.cleanUp(Self.id(of: "run-1/drill"), Spoken("cleanup").call)
        #expect(ended.changed && ended.removed > 6 && ended.left.isEmpty)
        #expect(inventory(world) == before)
        #expect(try await engine.drills().isEmpty)
        let again = try await engine.cleanUp(Self.id(of: "run-1/drill"), Spoken("again").call)
        #expect(!again.changed && again.removed == 0)
    }

    @Test
    func `A drill that its lease removed is cleaned up already, one that never was is an error, and one nobody can look for is unknown`()
        async throws
    {
        let (world, engine) = try await copied()
        try await engine.drill(["ledger"], lease: .seconds(60), Spoken("drill"))
        let id = try Self.id(of: "run-1/drill")
        world.clock.advance(by: .seconds(61))
        try await engine.migrate(["storefront"], Spoken("next", run: "next"))
        try await engine.release(run: "next")
        #expect(try await engine.drills().isEmpty)
        let done = try await engine.cleanUp(id, Spoken("late").call)
        #expect(!done.changed && done.removed == 0 && done.left.isEmpty)

        let wrong = try DrillID(id.text + "x")
        let error = await expectError(.unknownName) { try await engine.cleanUp(wrong, Spoken("wrong").call) }
        #expect(error?.message.contains("did you mean \"\(id)\"?") == true)
        world.west.goAway()
        #expect(await expectError(.clusterUnreachable) { try await engine.cleanUp(wrong, Spoken("silent").call) } != nil)
        #expect(try await engine.standingDrills().silent == ["west"])
        world.west.goAway(false)

        // What was removed long ago is forgotten by the next clean-up.
        world.clock.advance(by: .seconds(91 * 86_400))
        try await engine.drill(["storefront"], Spoken("other"))
        _ = try await engine.cleanUp(Self.id(of: "run-1/other"), Spoken("cleanup").call)
        #expect(
            world.west.allDocuments.keys.filter { $0.text.hasPrefix("removed/") }.map(\.text) == [
                "removed/\(try Self.id(of: "run-1/other"))"
            ])
    }

    @Test func `G5 I13 whatever moment the host dies at, the next run after the lease leaves nothing of the drill`() async throws {
        let (rehearsal, _) = try await copied()
        let counting = Breaker()
        try await rehearsal.engine(breaking: counting).drill(["ledger", "storefront"], Spoken("drill"))
        let (undrilled, other) = try await copied()
        undrilled.clock.advance(by: .seconds(3601))
        try await other.migrate(["storefront"], Spoken("next", run: "next"))
        try await other.release(run: "next")
        let expected = inventory(undrilled)
        for position in 1...counting.calls.count {
            let (world, _) = try await copied()
            let dying = world.engine(breaking: Breaker(at: position, after: position.isMultiple(of: 2)))
            await #expect(throws: Killed.self) { try await dying.drill(["ledger", "storefront"], Spoken("drill")) }
            world.clock.advance(by: .seconds(3601))
            let next = world.engine()
            try await next.migrate(["storefront"], Spoken("next", run: "next"))
            try await next.release(run: "next")
            #expect(try await next.drills().isEmpty, "killed at call \(position), \(counting.calls[position - 1])")
            #expect(inventory(world) == expected, "killed at call \(position)")
        }
    }

    @Test func `G5 I13 replication and a failover go on while a drill stands, and its point stays`() async throws {
        let (world, engine) = try await copied()
        try await engine.drill(["ledger"], Spoken("drill"))
        for time in 1...5 {
            world.clock.advance(by: .seconds(60))
            try await engine.migrate(["ledger"], Spoken("copy-\(time)", run: "before"))
        }
        try await engine.release(run: "before")
        let points = try await engine.recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("points").call)
        #expect(points.map(\.id.text) == ["ledger-e1-g6", "ledger-e1-g5", "ledger-e1-g4", "ledger-e1-g1"])
        let (report, _) = try await engine.move("ledger", run: "move")
        #expect(report.active_at == "west" && world.west.memory.read("pg-data-drill") == "one")
        let ended = try await engine.cleanUp(Self.id(of: "run-1/drill"), Spoken("cleanup").call)
        #expect(ended.left.isEmpty && world.west.memory.read("pg-data") == "one")
        #expect(try world.west.replicas("StatefulSet", "pg") == 3)
    }

    @Test func `A drill that is over adds nothing, and two of one name do not meet`() async throws {
        let (world, engine) = try await copied()
        let drill = try await engine.openDrill(
            DrillOrder(pair: "east-west", applications: ["ledger"], lease: .seconds(60)), Spoken("open").call)
        #expect(
            await expectError(.conflict) {
                try await engine.openDrill(DrillOrder(pair: "east-west", applications: ["ledger"]), Spoken("open", run: "other").call)
            } != nil)
        world.clock.advance(by: .seconds(61))
        let order = CloneOrder(drill: drill.id, cluster: "west", application: "ledger")
        #expect(await expectError(.conflict) { try await engine.startClone(order, Spoken("clone").call) } != nil)
        // The one whose lease is over makes room.
        let other = try await engine.openDrill(DrillOrder(pair: "east-west", applications: ["ledger"]), Spoken("open", run: "other").call)
        #expect(try await engine.drills().map(\.id) == [other.id])
        #expect(
            await expectError(.invalidInput) {
                try await engine.openDrill(
                    DrillOrder(pair: "east-west", applications: ["ledger"], suffix: "Wrong Name"), Spoken("bad").call)
            } != nil)
    }

    @Test func `A clone is reached from nowhere, and reaches none of the real ones`() async throws {
        let (world, engine) = try await copied()
        try world.east.add(
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: settings, namespace: shop-web }
            data:
              url: |
                postgres://pg.shop-db.svc:5432/shop
            ---
            apiVersion: v1
            kind: Service
            metadata: { name: front, namespace: shop-web }
            spec: { type: NodePort, ports: [{ port: 80, nodePort: 30080 }] }
            ---
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: { name: shop, namespace: shop-web }
            spec: { rules: [{ host: shop.example.com }] }

            """)
        try await engine.migrate(["storefront"], Spoken("copy-2", run: "before"))
        let report = try await engine.drill(["storefront"], Spoken("drill"))
        #expect(world.west.text("ConfigMap", "settings")?.contains("pg.shop-db-drill.svc") == true)
        let service = try #require(world.west.text("Service", "front"))
        #expect(service.contains("ClusterIP") && !service.contains("30080"))
        #expect(world.west.text("Ingress", "shop") == nil)
        #expect(report.left_out.contains("Ingress shop-web/shop"))
        #expect(report.endpoints == ["80": "front.shop-web-drill.svc:80"])
        #expect(world.west.text("NetworkPolicy", "drrunbook-drill")?.contains("shop-web-drill") == true)
    }
}
