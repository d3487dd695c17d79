import DRModel
import DRReplication
import DRSimulation
import Testing

/// What a cluster knows of when another one last answered: by it an agent's promise is judged.
struct ContactTests {
    @Test func `G1 a copy notes when its source answered, not when it came to its end, and ends no silence that began meanwhile`()
        async throws
    {
        let counting = Breaker()
        try await EngineWorld().engine(breaking: counting).migrate(["ledger"], Spoken("copy", run: "before"))
        let position = try #require(counting.calls.firstIndex { $0.contains("receive") }) + 1
        let world = try EngineWorld()
        let began = world.clock.now()
        world.west.set { $0.contacts["east"] = SiteContact(cluster: "east", reached: began + .seconds(-60)) }
        // While the bytes come in from the store, the source is lost, and somebody at the destination sees it.
        let slow = Breaker(pausingAt: position, watching: {}) {
            world.west.set { $0.contacts["east"] = SiteContact(cluster: "east", reached: began, silent: began + .seconds(60)) }
            world.clock.advance(by: .seconds(3600))
            world.east.goAway()
        }
        await #expect(throws: DRError.self) { try await world.engine(breaking: slow).migrate(["ledger"], Spoken("copy", run: "before")) }
        #expect(
            try await world.west.contact(with: "east") == SiteContact(cluster: "east", reached: began, silent: began + .seconds(60)))
        // One that answers at its end ends it.
        world.east.goAway(false)
        world.clock.advance(by: .seconds(60))
        world.west.set { $0.locks = [:] }
        world.east.set { $0.locks = [:] }
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "after"))
        #expect(try await world.west.contact(with: "east") == SiteContact(cluster: "east", reached: world.clock.now()))
    }
}
