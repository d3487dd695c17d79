import DRModel
import DRReplication
import Testing

/// What cannot be swept is told, and keeps nothing else from being swept.
@Suite struct SweepWarningTests {
    let world: FolderWorld
    init() throws { world = try FolderWorld() }

    /// Four migrations of which the last one lets a point go; before that one `break` happens.
    private func migrate(_ break: () throws -> Void) async throws -> [String] {
        let engine = world.engine()
        for number in 1...5 {
            try world.put("number \(number)")
            try await engine.migrate(["ledger"], Spoken("migrate-\(number)", run: try RunID("run-\(number)")))
            try await engine.release(run: try RunID("run-\(number)"))
        }
        try await world.clock.sleep(for: .seconds(90_000))
        try world.put("number 6")
        try `break`()
        let report = try await engine.migrate(["ledger"], Spoken("migrate-6", run: "run-6"))
        return report.warnings ?? []
    }

    private func damage(_ folder: String) throws {
        let path = world[folder]
        let name = try SystemStoreIO().list(path)[0]
        try write(path / name, [0, 0], at: 4)
    }

    private func count(_ path: String) throws -> Int {
        try SystemStoreIO().facts(world[path]) == nil ? 0 : try SystemStoreIO().list(world[path]).count
    }

    @Test func `Nothing is told where everything is swept`() async throws {
        #expect(try await migrate {} == [])
        #expect(try count("vault/ledger/tombs") == 1)
        #expect(try count("west/.dr/copies/ledger/points") == 3)
    }

    @Test func `An own copy that cannot be swept is told, and the store is swept all the same`() async throws {
        let warnings = try await migrate { try damage("west/.dr/copies/ledger/points/ledger-e1-g5") }
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("the own copy of ledger at west was not swept: ledger/points/ledger-e1-g5/") == true)
        #expect(try count("vault/ledger/tombs") == 1)
        #expect(try count("west/.dr/copies/ledger/points") > 3)
    }

    @Test func `A store that cannot be swept is told, and the own copy is swept all the same`() async throws {
        let warnings = try await migrate { try damage("vault/ledger/points/ledger-e1-g2") }
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("store vault was not swept of ledger: ledger/points/ledger-e1-g2/") == true)
        #expect(try count("vault/ledger/tombs") == 0)
        #expect(try count("west/.dr/copies/ledger/points") == 3)
    }
}
