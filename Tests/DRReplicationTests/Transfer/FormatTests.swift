@testable import DRReplication
import DRModel
import Testing

/// The formats against bytes that nobody sane wrote.
@Suite struct FormatTests {
    private func node(_ path: String, _ content: TreeNode.Content) -> TreeNode {
        TreeNode(
            path: Array(path.utf8), content: content, mode: 0o644, owner: 1, group: 2, modified: Instant(nanosecondsSince1970: 3),
            attributes: [.init(name: Array("user.a".utf8), value: [1, 2])])
    }

    private func sample() -> MapPage {
        let hash = ContentHash(of: [1])
        let place = ChunkLocation(pack: PackID(raw: Array(0..<16)), offset: 64, stored: 100, codec: .zstd)
        return MapPage(
            items: [
                .node(node("", .folder)), .node(node("a", .file(size: 300, chunkSize: 100, shared: true))),
                .run(first: 0, hashes: [hash, hash]), .node(node("b", .symlink(target: [9]))),
                .node(node("bb", .symlink(target: [9], shared: true))), .node(node("c", .link(first: [97]))),
                .more(path: Array("d".utf8), size: 10, chunkSize: 10), .run(first: 0, hashes: [hash]),
            ], locations: [place, place, place])
    }

    @Test func `A page is read back as it was written`() throws {
        let page = sample()
        let stored = StoredPage(content: page.content(), places: page.places())
        let entry = PageIndex.Entry(
            content: stored.contentHash, page: stored.name, location: page.locations[0],
            contentLength: UInt32(stored.content.count), placesLength: UInt32(stored.places.count))
        let read = try StoredPage(stored.bytes, of: entry).page()
        #expect(read.items == page.items)
        #expect(read.locations == page.locations)
        for position in stored.bytes.indices {
            var changed = stored.bytes
            changed[position] ^= 4
            #expect(throws: Malformed.self) { try StoredPage(changed, of: entry) }
        }
    }

    @Test func `An index with any byte changed is refused, and its token does not say where pages are`() throws {
        func index(_ pack: UInt8) -> PageIndex {
            let place = ChunkLocation(pack: PackID(raw: Array(pack..<pack + 16)), offset: 64, stored: 100, codec: .zstd)
            let entries = (0..<3).map { number in
                PageIndex.Entry(
                    content: ContentHash(of: [number]), page: ContentHash(of: [number, pack]), location: place, contentLength: 70,
                    placesLength: 30)
            }
            return PageIndex(kind: .block, entries: entries, packs: [])
        }
        let object = index(1).object()
        #expect(try PageIndex(parsing: object, name: ContentHash(of: object)) == index(1))
        #expect(index(1).token == index(2).token)
        #expect(index(1).object() != index(2).object())
        for position in object.indices {
            var changed = object
            changed[position] ^= 8
            #expect(throws: Malformed.self) { try PageIndex(parsing: changed, name: ContentHash(of: object)) }
            // Also when its name was made to fit, nothing is read beyond its end.
            if let other = try? PageIndex(parsing: changed, name: ContentHash(of: changed)) { #expect(other != index(1)) }
        }
    }

    @Test func `A page cut short anywhere or with any byte changed is refused or differs, and never crashes`() throws {
        let content = sample().content()
        let places = sample().places()
        for length in 0..<content.count {
            if let page = try? MapPage(content: Array(content[..<length]), places: places) { #expect(page.items != sample().items) }
        }
        for length in 0..<places.count {
            #expect(throws: Malformed.self) { try MapPage(content: content, places: Array(places[..<length])) }
        }
        for position in content.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] where content[position] != value {
                var changed = content
                changed[position] = value
                if let page = try? MapPage(content: changed, places: places) { #expect(page.items != sample().items) }
            }
        }
    }

    @Test func `A pack cut short anywhere or with any byte changed is refused`() throws {
        let id = PackID(session: try #require(Session(text: "0123456789abcdef")), random: 42)
        var builder = PackBuilder(id: id, ordinal: 1, capacity: 1 << 20)
        for number in 0..<3 {
            let bytes = noise(500, seed: UInt64(number))
            _ = bytes.withUnsafeBytes { builder.add(ContentHash(of: bytes), length: bytes.count, codec: .raw, stored: $0) }
        }
        let object = builder.finish()
        #expect(try Pack(parsing: object).chunks.count == 3)
        for length in stride(from: 0, to: object.count, by: 7) {
            #expect(throws: Malformed.self) { try Pack(parsing: Array(object[..<length])) }
        }
        for position in object.indices {
            var changed = object
            changed[position] ^= 0x20
            #expect(throws: Malformed.self) { try Pack(parsing: changed) }
        }
    }

    @Test(arguments: [UInt8(2), 9, 0xFF])
    func `A pack whose footer is sealed and names a codec that nobody knows is refused, and the codec said`(
        _ codec: UInt8
    ) throws {
        let id = PackID(session: try #require(Session(text: "0123456789abcdef")), random: 42)
        var builder = PackBuilder(id: id, ordinal: 1, capacity: 1 << 20)
        for number in 0..<3 {
            let bytes = noise(500, seed: UInt64(number))
            _ = bytes.withUnsafeBytes { builder.add(ContentHash(of: bytes), length: bytes.count, codec: .raw, stored: $0) }
        }
        var object = builder.finish()
        let footer = object.count - PackBuilder.trailerSize - 3 * PackedChunk.size
        // Of the second chunk, and of the highest byte of the third one's number.
        let places = [footer + 2 * PackedChunk.size - 4, footer + 3 * PackedChunk.size - 1]
        for (place, said) in zip(places, [UInt32(codec), UInt32(codec) << 24]) {
            let before = object
            object[place] = codec
            var seal: [UInt8] = []
            ContentHash(of: Array(object[..<PackBuilder.headerSize]) + object[footer..<object.count - 40]).append(to: &seal)
            object.replaceSubrange(object.count - 40..<object.count - 8, with: seal)
            let error = #expect(throws: Malformed.self) { try Pack(parsing: object) }
            #expect(error?.what == "its footer is wrong: codec \(said) is not known here")
            object = before
        }
    }

    @Test func `A record with any byte changed is refused`() throws {
        let record = PointRecord(
            draft: try VolumeWorld.draft(3), application: "ledger", session: try #require(Session(text: "0123456789abcdef")),
            instant: Instant(nanosecondsSince1970: 5), consistency: .crash,
            volumes: [
                .init(
                    volume: PointVolume(name: "data", kind: .block, content: ContentToken("c"), size: ByteCount(5)),
                    index: ContentHash(of: [1]))
            ], manifests: .init(content: ContentToken("m"), index: ContentHash(of: [2])), parent: nil,
            packs: [(PackID(raw: Array(0..<16)), 7)])
        let object = record.object()
        #expect(try PointRecord(parsing: object).point == record.point)
        for position in object.indices {
            var changed = object
            changed[position] ^= 1
            #expect(throws: Malformed.self) { try PointRecord(parsing: changed) }
        }
    }

    @Test(arguments: ["/etc/passwd", "../up", "a/../../up", "a//b", ".", "a/.", "a/", "\0"])
    func `A path that leads out of the volume is refused`(_ path: String) {
        var writer = ByteWriter()
        node(path, .folder).write(to: &writer)
        var reader = ByteReader(writer.bytes)
        #expect(throws: Malformed.self) { try TreeNode(reading: &reader) }
    }

    @Test func `A map cannot write through a link, below a file, twice or outside a file`() throws {
        func refuses(_ nodes: [TreeNode], chunk: Int64? = nil) -> Bool {
            var order = TreeOrder(.filesystem)
            do {
                for node in nodes { try order.accept(node) }
                if let chunk { _ = try order.acceptChunk(chunk) }
                return false
            } catch { return true }
        }
        let root = node("", .folder)
        let file = node("a", .file(size: 250, chunkSize: 100, shared: false))
        #expect(!refuses([root, file, node("b", .folder), node("b/c", .folder), node("d", .symlink(target: [47]))], chunk: nil))
        #expect(refuses([file]))
        #expect(refuses([root, node("a", .symlink(target: [47])), node("a/b", .folder)]))
        #expect(refuses([root, file, node("a/b", .folder)]))
        #expect(refuses([root, file, file]))
        #expect(refuses([root, node("b", .folder), file]))
        #expect(refuses([root, node("x/y", .folder)]))
        #expect(refuses([root, file, node("z", .link(first: [97]))]))
        #expect(refuses([root, node("s", .symlink(target: [47])), node("z", .link(first: [115]))]))
        #expect(!refuses([root, node("s", .symlink(target: [47], shared: true)), node("z", .link(first: [115]))], chunk: nil))
        #expect(refuses([root, node("s", .symlink(target: [47])), node("z", .link(first: Array("s/passwd".utf8)))]))
        #expect(!refuses([root, file], chunk: 2))
        #expect(refuses([root, file], chunk: 3))
        #expect(refuses([root], chunk: 0))
    }

    @Test func `Folders come before what is in them and after what sorts before them`() {
        let wanted = ["", "a", "a/b", "a/b/c", "a/z", "a!", "a-b", "a.b", "ab"].map { Array($0.utf8) }
        #expect(wanted.reversed().sorted(by: TreeNode.isBefore) == wanted)
    }

    @Test func `Where pages end depends on content, so that one more file changes one page`() {
        func pages(_ names: [String]) -> [ContentHash] {
            var builder = MapBuilder()
            for name in names.sorted(by: { TreeNode.isBefore(Array($0.utf8), Array($1.utf8)) }) {
                builder.add(node(name, .symlink(target: [1])), isBoundary: MapBuilder.isBoundary(node(name, .folder).path), identity: nil)
            }
            builder.finish()
            return builder.take().map { $0.stored().contentHash }
        }
        let names = (0..<6000).map { "file-\($0)" }
        let before = pages(names)
        let after = pages(names + ["file-3000-more"])
        #expect(before.count > 4)
        #expect(Set(after).subtracting(before).count <= 2)
    }

    @Test func `A run of chunks ends where every run ends, so that a change moves nothing elsewhere`() throws {
        func pages(_ changed: Int64?) throws -> [ContentHash] {
            var builder = MapBuilder()
            let file = TreeNode.Content.file(size: 5000 * 65536, chunkSize: 65536, shared: false)
            builder.add(node("", file), isBoundary: false, identity: nil)
            let place = ChunkLocation(pack: PackID(raw: Array(0..<16)), offset: 64, stored: 100, codec: .raw)
            for index in 0..<Int64(5000) where index != changed {
                let bytes = [UInt8(index % 251)]
                let mark = bytes.withUnsafeBytes { ChunkMark(of: $0) }
                try builder.add(ScannedChunk(index: index, hash: ContentHash(of: bytes), mark: mark, location: place))
            }
            builder.finish()
            return builder.take().map { $0.stored().contentHash }
        }
        let before = try pages(nil)
        #expect(before.count == 40)
        #expect(try Set(pages(2500)).subtracting(before).count == 1)
    }

    @Test func `Numbers that cannot be are refused before anything is done with them`() throws {
        for size in [Int64.max, Int64.max - 50, -1] {
            let page = MapPage(items: [.node(node("a", .file(size: size, chunkSize: 100, shared: false)))], locations: [])
            #expect(throws: Malformed.self) { try MapPage(content: page.content(), places: page.places()) }
            let more = MapPage(items: [.more(path: [97], size: size, chunkSize: 100)], locations: [])
            #expect(throws: Malformed.self) { try MapPage(content: more.content(), places: more.places()) }
        }
        let place = ChunkLocation(pack: PackID(raw: Array(0..<16)), offset: 64, stored: 1, codec: .raw)
        let run = MapPage(items: [.run(first: .max, hashes: [ContentHash(of: [1])])], locations: [place])
        #expect(throws: Malformed.self) { try MapPage(content: run.content(), places: run.places()) }
        let large = ChunkLocation(pack: PackID(raw: Array(0..<16)), offset: 64, stored: .max, codec: .zstd)
        let entry = PageIndex.Entry(
            content: ContentHash(of: [1]), page: ContentHash(of: [2]), location: large, contentLength: 70, placesLength: 30)
        let index = PageIndex(kind: .block, entries: [entry], packs: [large.pack]).object()
        #expect(throws: Malformed.self) { try PageIndex(parsing: index, name: ContentHash(of: index)) }
        let names = ObjectNames(application: "ledger")
        let session = Session(OperationKey("x"))
        #expect(names.parseRecord("ledger/points/ledger-e1-g1/\(Int.max)-\(session.text)") == nil)
        #expect(names.parseRecord("ledger/points/ledger-e1-g1/1-\(session.text)") != nil)
    }

    @Test func `Times that anybody may have written do not overflow`() {
        let (first, last) = (Instant(nanosecondsSince1970: .min), Instant(nanosecondsSince1970: .max))
        #expect(last - first > .seconds(9_000_000_000))
        #expect(first - last < .seconds(-9_000_000_000))
        #expect(last + .seconds(1) == last)
        #expect(first - .seconds(1) < Instant(nanosecondsSince1970: 0))
        #expect(first.description.hasPrefix("1677-"))
        #expect(!Tomb(created: first, names: []).isStale(first))
        #expect(Tomb(created: first, names: []).isStale(last) && Tomb(created: last, names: []).isStale(first))
    }
}
