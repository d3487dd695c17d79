import DRModel
import DRReplication
import DRSimulation
import Testing

/// What a cluster wrote by itself, and what is said of it, until it was seen fenced.
struct ForkTests {
    private func status(_ world: FolderWorld) async throws -> ApplicationStatus {
        try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0]
    }

    /// East was lost after a copy, west went live without it, and east is back with what it wrote alone.
    private func divided(_ world: FolderWorld) async throws {
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "there"))
        try SystemStoreIO().rename(world["east"], world["gone"], .keep)
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "there"))
        try SystemStoreIO().rename(world["gone"], world["east"], .keep)
        try await world.engine().release(run: "there")
        try world.put("written alone")
    }

    @Test func `G1 the risk of two writers stands from a disaster until the former cluster was seen fenced`() async throws {
        let world = try FolderWorld()
        try await divided(world)
        let open = try await status(world)
        #expect(open.split_brain_risk && open.active_at == "west")
        #expect(open.returned == ["east"])
        #expect(open.clusters["east"] == "back, not fenced")
        #expect(open.forks == nil)

        try await world.engine().migrate(["ledger"], reversed: true, Spoken("protect", run: "back"))
        try await world.engine().release(run: "back")
        let settled = try await status(world)
        #expect(!settled.split_brain_risk && settled.returned == nil && settled.protected)
        #expect(settled.active_at == "west" && settled.epoch == Epoch(2))
    }

    @Test
    func `A fork is shown with its cluster, epoch and time from when its writer was deposed, and with its place once it was set aside`()
        async throws
    {
        let world = try FolderWorld()
        try await divided(world)
        try await world.engine().migrate(["ledger"], reversed: true, Spoken("protect", run: "back"))
        try await world.engine().release(run: "back")
        let live = try #require(try await status(world).forks)
        #expect(live.count == 1)
        #expect(live[0].cluster == "east" && live[0].epoch == .first && live[0].state == .live && live[0].place == nil)
        #expect(live[0].at != nil)

        try await world.engine().move("ledger", reversed: true, run: "home")
        let kept = try #require(try await status(world).forks)
        #expect(kept.count == 1)
        #expect(kept[0].cluster == "east" && kept[0].epoch == .first && kept[0].state == .kept && kept[0].volumes == ["pg-data"])
        #expect(kept[0].place == world["east/.dr/divergent/ledger-e1"].description)
        let table = try contents(world["east/.dr/divergent/ledger-e1/pg-data/table"])
        #expect(String(decoding: table, as: UTF8.self) == "written alone")
        // Removing it is a person's decision, and is then believed.
        try SystemStoreIO().rename(world["east/.dr/divergent"], world["elsewhere"], .keep)
        #expect(try await status(world).forks == nil)
    }

    @Test func `What never diverged has no forks, and a planned move makes none`() async throws {
        let world = try FolderWorld()
        try await world.engine().move("ledger", run: "there")
        try await world.engine().migrate(["ledger"], reversed: true, Spoken("protect", run: "back"))
        try await world.engine().move("ledger", reversed: true, run: "home")
        let status = try await status(world)
        #expect(status.forks == nil && !status.split_brain_risk && status.returned == nil)
    }
}
