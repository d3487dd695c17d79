import DRModel
import Testing

@testable import DRReplication

/// Maps whose files an earlier version cut into chunks of another size.
@Suite struct ChunkSizeTests {
    private static let size = 200_000

    @Test func `G3 I11 a file whose chunks had another size is read anew, though nobody touched it`() async throws {
        let world = try VolumeWorld()
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        try write(data / "a", [1])
        try write(data / "large", noise(Self.size))
        let made = try #require(try world.io.facts(data / "large")).changed
        let probe = world.folder.path / "probe"
        repeat { try write(probe, [1]) } while try #require(try world.io.facts(probe)).modified < made + .milliseconds(40)
        try await world.migrate(generation: 1)
        try recut(world)
        // Beside it something changed, so the page is not taken as it is, and it stands last.
        try write(data / "a", [2])
        let (publication, reception) = try await world.migrate(generation: 2)
        #expect(publication.bytesRead.bytes == Int64(Self.size + 1))
        try await world.activate(reception.point, at: world.west)
        #expect(try describe(world.west / "volumes" / "data") == describe(data))
    }

    /// The scan cache as a version with chunks of 64 KiB would have left it.
    private func recut(_ world: VolumeWorld) throws {
        let path = ScanCache.path("data", in: world.east)
        let cache = try #require(try ScanCache.open(path, of: VolumeWorld.application, io: world.io))
        let writer = try ScanCacheWriter { try world.io.open(world.folder.path / "recut", .create, permissions: 0o600) }
        let pages = try cache.pages()
        while let cached = try pages.next() {
            let prior = try cached.prior()
            var builder = MapBuilder()
            var (node, chunk, isCut) = (0, 0, false)
            for item in prior.page.items {
                switch item {
                case .node(let found):
                    isCut = found.path == Array("large".utf8)
                    let content: TreeNode.Content =
                        isCut ? .file(size: Int64(Self.size), chunkSize: 64 << 10, shared: false) : found.content
                    builder.add(
                        TreeNode(
                            path: found.path, content: content, mode: found.mode, owner: found.owner, group: found.group,
                            modified: found.modified, attributes: found.attributes), isBoundary: false, identity: prior.identities[node])
                    node += 1
                case .run(let first, let hashes):
                    for offset in 0..<(isCut ? 4 : hashes.count) {
                        try builder.add(
                            ScannedChunk(
                                index: first + Int64(offset), hash: hashes[offset], mark: prior.marks[chunk + offset],
                                location: prior.page.locations[chunk + offset]))
                    }
                    chunk += hashes.count
                case .more: Issue.record("the volume is one page")
                }
            }
            builder.finish()
            for page in builder.take() { try writer.write(CachedPage(page, as: page.stored(), at: cached.entry.location)) }
        }
        let old = cache.header
        try writer.finish { pages, end in
            ScanCache.Header(
                application: old.application, began: old.began, mount: old.mount, looked: old.looked, secret: old.secret,
                record: old.record,
                recordHash: old.recordHash, kind: old.kind, pages: pages, end: end)
        }
        try world.io.rename(world.folder.path / "recut", path, .replace)
    }
}
