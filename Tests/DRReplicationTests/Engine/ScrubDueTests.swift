import DRModel
import DRReplication
import Testing

/// When which own copy is read.
@Suite struct ScrubDueTests {
    @Test func `Each own copy is due once a week, and damage in it is healed`() async throws {
        let world = try FolderWorld()
        let engine = world.engine()
        #expect(try await engine.scrubsDue().isEmpty)
        try await engine.migrate(["ledger"], Spoken("migrate"))
        let due = try await engine.scrubsDue()
        #expect(due.map(\.application) == ["ledger"] && due.map(\.cluster) == ["west"])
        let place = try #require(due.first)
        let packs = world["west/.dr/copies/ledger/packs"]
        try write(packs / SystemStoreIO().list(packs)[0], [1, 2, 3], at: 100)
        let scrubbed = try await engine.scrub(place, after: nil, most: ByteCount(1 << 30), Spoken("scrub").call)
        #expect(scrubbed.healed.count == 1 && scrubbed.next == nil)
        #expect(try await engine.scrubsDue().isEmpty)
        try await world.clock.sleep(for: .seconds(7 * 86_400 + 1))
        #expect(try await engine.scrubsDue() == [place])
        // A part is not the end.
        let part = try await engine.scrub(place, after: nil, most: ByteCount(1), Spoken("part").call)
        #expect(part.next != nil)
        #expect(try await engine.scrubsDue() == [place])
        // Another process goes on where it ended.
        #expect(try await world.engine().scrubReached(place) == part.next)
        let rest = try await engine.scrub(place, after: part.next, most: ByteCount(1 << 30), Spoken("rest").call)
        #expect(rest.next == nil)
        #expect(try await engine.scrubReached(place) == nil)
    }
}
