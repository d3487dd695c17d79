import DRModel
import DRReplication
import Testing

/// What the tests of crashes rest on.
@Suite struct LostRemovalTests {
    let folder: TemporaryFolder
    let io = FaultyStoreIO()
    private var place: StorePath { folder.path / "place" }

    init() throws {
        folder = try TemporaryFolder()
        let real = SystemStoreIO()
        try real.makeFolder(folder.path / "place", permissions: 0o750)
        try write(folder.path / "place" / "file", [1, 2, 3], mode: 0o640)
        try real.makeSymlink(folder.path / "place" / "link", to: Array("nowhere".utf8))
        for name in ["file", "link"] {
            try real.setModified(folder.path / "place" / name, Instant(nanosecondsSince1970: 1_700_000_000_000_000_007))
        }
    }

    /// The folder itself was changed by what was removed from it.
    private static func held(_ place: StorePath) throws -> [String] { Array(try describe(place).dropFirst()) }

    private func removeAll() throws {
        try io.removeFile(place / "file")
        try io.removeFile(place / "link")
        try io.removeFolder(place)
    }

    @Test func `What was removed comes back with the power cut as it was, unless its folder was synced`() throws {
        let before = try Self.held(place)
        try removeAll()
        try io.syncFolder(folder.path)
        io.cutPower()
        #expect(try SystemStoreIO().facts(place) == nil)
        let other = try Self()
        try other.removeAll()
        other.io.cutPower()
        #expect(try Self.held(other.place) == before)
    }

    @Test func `A file that no sync reached comes back empty, and one that was never there does not`() throws {
        let file = try io.open(place / "file", .update, permissions: 0)
        try [9].withUnsafeBytes { try file.write(at: 0, $0) }
        try file.close()
        try io.open(place / "new", .create, permissions: 0o600).close()
        for name in ["file", "new"] { try io.removeFile(place / name) }
        io.cutPower()
        #expect(try contents(place / "file").isEmpty)
        #expect(try SystemStoreIO().facts(place / "new") == nil)
    }

    @Test(arguments: [true, false])
    func `A folder that is made again is another one, and its sync brings nothing of the first one to an end`(_ settles: Bool) throws {
        let before = try Self.held(place)
        try removeAll()
        try io.makeFolder(place, permissions: 0o755)
        try io.syncFolder(place)
        if settles { try io.syncFolder(folder.path) }
        io.cutPower()
        if settles { #expect(try SystemStoreIO().list(place).isEmpty) } else { #expect(try Self.held(place) == before) }
    }

    @Test func `What was removed does not take the place of what has its name by then`() throws {
        try io.removeFile(place / "file")
        try write(place / "file", [7])
        io.cutPower()
        #expect(try contents(place / "file") == [7])
    }
}
