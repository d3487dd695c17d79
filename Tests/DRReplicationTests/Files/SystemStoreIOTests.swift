import DRModel
import DRReplication
import Glibc
import Testing

@Suite struct SystemStoreIOTests {
    let io = SystemStoreIO()
    let folder: TemporaryFolder
    var root: StorePath { folder.path }

    init() throws { folder = try TemporaryFolder() }

    private func write(_ path: StorePath, _ text: String) throws {
        let file = try io.open(path, .create, permissions: 0o644)
        try Array(text.utf8).withUnsafeBytes { try file.write(at: 0, $0) }
        try file.sync()
        try file.close()
    }

    private func read(_ path: StorePath) throws -> String {
        let file = try io.open(path, .read, permissions: 0)
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test func `A file is written, read back and described`() throws {
        try write(root / "a", "hello")
        #expect(try read(root / "a") == "hello")
        let facts = try #require(try io.facts(root / "a"))
        #expect(facts.kind == .file && facts.size == 5 && facts.mode == 0o644 && facts.links == 1)
        #expect(try io.facts(root / "b") == nil)
        #expect(try io.facts(root / "a" / "below") == nil)
    }

    @Test func `Creating what exists fails and names the path`() throws {
        try write(root / "a", "1")
        let error = #expect(throws: IOFailure.self) { try io.open(root / "a", .create, permissions: 0o600) }
        #expect(error?.code == EEXIST)
        #expect(error?.description == "create \(root)/a: File exists")
    }

    @Test func `What is synced at once fails as one of it fails, and with what is not merely gone before that`() throws {
        try write(root / "a", "1")
        try io.makeFolder(root / "f", permissions: 0o755)
        let file = try io.open(root / "a", .update, permissions: 0)
        try io.sync([file], folders: [])
        try io.sync([file], folders: Array(repeating: root / "f", count: 20) + [root])
        #expect(#expect(throws: IOFailure.self) { try io.sync([file], folders: [root, root / "none"]) }?.code == ENOENT)
        #expect(#expect(throws: IOFailure.self) { try io.sync([], folders: [root / "none", root / "a", root]) }?.code == ENOTDIR)
    }

    @Test func `A symbolic link is never followed in the last component`() throws {
        try write(root / "a", "secret")
        try io.makeSymlink(root / "link", to: Array("a".utf8))
        #expect(throws: IOFailure.self) { try io.open(root / "link", .read, permissions: 0) }
        #expect(try io.facts(root / "link")?.kind == .symlink)
        #expect(try io.symlinkTarget(root / "link") == Array("a".utf8))
        try io.setModified(root / "link", Instant(nanosecondsSince1970: 1_234_567_890))
        #expect(try io.facts(root / "link")?.modified.nanosecondsSince1970 == 1_234_567_890)
        #expect(try io.facts(root / "a")?.modified != io.facts(root / "link")?.modified)
    }

    @Test func `Names are bytes, in bytewise order`() throws {
        for name: [UInt8] in [[0xFF, 0xFE], Array("b".utf8), Array("a".utf8), [0x0A], Array("é".utf8)] {
            try io.makeFolder(root / name, permissions: 0o755)
        }
        #expect(try io.list(root) == [[0x0A], Array("a".utf8), Array("b".utf8), Array("é".utf8), [0xFF, 0xFE]])
        #expect(throws: IOFailure.self) { try io.makeFolder(root / [UInt8(ascii: "a"), 0, UInt8(ascii: "b")], permissions: 0o755) }
    }

    @Test func `Renames replace, keep or exchange`() throws {
        try write(root / "a", "1")
        try write(root / "b", "2")
        let error = #expect(throws: IOFailure.self) { try io.rename(root / "a", root / "b", .keep) }
        #expect(error?.code == EEXIST)
        try io.rename(root / "a", root / "b", .exchange)
        #expect(try read(root / "a") == "2")
        try io.rename(root / "a", root / "b", .replace)
        #expect(try read(root / "b") == "2")
        #expect(try io.list(root) == [Array("b".utf8)])
    }

    @Test func `Holes are found`() throws {
        let file = try io.open(root / "a", .create, permissions: 0o600)
        try file.truncate(to: 10 << 20)
        try [UInt8](repeating: 7, count: 4096).withUnsafeBytes { try file.write(at: 5 << 20, $0) }
        try file.sync()
        #expect(try file.nextData(from: 0) == (5 << 20)..<(5 << 20 + 4096))
        #expect(try file.nextData(from: 5 << 20 + 4096) == nil)
        #expect(try file.facts().allocated < 1 << 20)
    }

    @Test func `Extended attributes keep their bytes`() throws {
        try write(root / "a", "")
        try io.setExtendedAttribute(root / "a", name: Array("user.b".utf8), value: [0, 255])
        try io.setExtendedAttribute(root / "a", name: Array("user.a".utf8), value: [])
        let attributes = try io.extendedAttributes(root / "a")
        #expect(attributes.map(\.name) == [Array("user.a".utf8), Array("user.b".utf8)])
        #expect(attributes.map(\.value) == [[], [0, 255]])
    }

    @Test func `A lock has one holder and ends with it`() throws {
        let first = try #require(try io.lock(root / "lock", wait: false))
        #expect(try io.lock(root / "lock", wait: false) == nil)
        first.release()
        #expect(try io.lock(root / "lock", wait: false) != nil)
    }

    @Test func `The filesystem has a name`() throws {
        #expect(try io.filesystemType(StorePath("/proc")) == "proc")
        #expect(try !io.filesystemType(root).isEmpty)
        try io.syncFolder(root)
        try io.syncFilesystem(root)
    }
}

@Suite struct FaultyStoreIOTests {
    @Test func `A power cut loses what was not synced and nothing else`() throws {
        let folder = try TemporaryFolder()
        func run(_ io: FaultyStoreIO) throws {
            let file = try io.open(folder.path / "tmp", .create, permissions: 0o600)
            try Array("data".utf8).withUnsafeBytes { try file.write(at: 0, $0) }
            try file.sync()
            try io.rename(folder.path / "tmp", folder.path / "final", .keep)
            try io.syncFolder(folder.path)
            try io.removeFile(folder.path / "final")
        }
        let counting = FaultyStoreIO()
        try run(counting)
        #expect(counting.operations.count == 6)
        let unsynced = FaultyStoreIO(fault: .powerCut, at: 5)
        #expect(throws: Killed.self) { try run(unsynced) }
        #expect(try SystemStoreIO().list(folder.path) == [])
        let synced = FaultyStoreIO(fault: .powerCut, at: 6)
        #expect(throws: Killed.self) { try run(synced) }
        #expect(try SystemStoreIO().facts(folder.path / "final")?.size == 4)
        #expect(throws: Killed.self) { try synced.list(folder.path) }
    }
}
