import DRModel
import DRReplication
import DRSimulation
import Testing

/// A drill beside the real thing of nearly the same name: what goes with the drill is its own.
struct DrillNamesTests {
    private func world() async throws -> EngineWorld {
        var world = try EngineWorld()
        world.inventory.applications.append(Application(name: "other", namespaces: ["shop-db-drill"], ready: .seconds(30)))
        try world.east.add(
            """
            apiVersion: v1
            kind: PersistentVolume
            metadata: { name: pg-data-drill }
            spec: { capacity: { storage: 1Gi } }
            ---
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: { name: pg-data-drill, namespace: shop-db-drill }
            spec: { volumeName: pg-data-drill }
            ---
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: { name: other, namespace: shop-db-drill }
            spec: { replicas: 1 }

            """)
        world.east.memory.write("precious", to: "pg-data-drill")
        try await world.engine().migrate(["ledger", "other"], Spoken("copy", run: "before"))
        try await world.engine().release(run: "before")
        for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } }
        return world
    }

    @Test func `A suffix that makes the real namespace of an application is refused`() async throws {
        let world = try await world()
        let error = await expectError(.invalidInput) {
            try await world.engine().openDrill(DrillOrder(pair: "east-west", applications: ["ledger"], suffix: "drill"), Spoken("o").call)
        }
        #expect(error?.message == "suffix \"drill\": \"shop-db-drill\" is a namespace of other itself")
    }

    @Test func `G5 a drill whose clone was never placed takes nothing along that went live under its names meanwhile`() async throws {
        var world = try await world()
        let all = world.inventory.applications
        // It was opened by a host whose dr.yaml did not know of the other application yet, and which died.
        world.inventory.applications.removeAll { $0.name == "other" }
        let drill = try await world.engine().openDrill(
            DrillOrder(pair: "east-west", applications: ["ledger"], lease: .seconds(60), suffix: "drill"), Spoken("open", run: "dead").call)
        world.inventory.applications = all
        try await world.engine().activate("other", .disaster, accepting: .seconds(1 << 30), Spoken("activate"))
        #expect(world.west.processes("other") == 1)
        world.clock.advance(by: .seconds(61))
        let ended = try await world.engine().cleanUp(drill.id, Spoken("cleanup").call)
        #expect(ended.removed == 0 && ended.left.isEmpty)
        #expect(world.west.processes("other") == 1 && world.west.memory.read("pg-data-drill") == "precious")
        #expect(world.west.text("StatefulSet", "other") != nil)
    }
}
