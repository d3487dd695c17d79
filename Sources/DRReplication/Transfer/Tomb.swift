internal import DRModel

/// Which objects of an application something still needs.
struct Needed {
    private(set) var names: Set<String> = []
    private(set) var packs: Set<PackID> = []

    /// Everything that a record leads to. `read` gives the bytes of an index.
    mutating func add(_ record: PointRecord, _ names: ObjectNames, index: (ContentHash) async throws -> VolumeIndex) async throws {
        self.names.insert(names.manifests(record.manifests))
        for volume in record.volumes {
            self.names.insert(names.map(volume.index))
            packs.formUnion(try await index(volume.index).packs)
        }
    }

    mutating func add(_ index: VolumeIndex, _ name: String) {
        names.insert(name)
        packs.formUnion(index.packs)
    }

    mutating func add(_ name: String) { names.insert(name) }

    func all(_ names: ObjectNames) -> [String] { self.names.sorted() + packs.sorted().map(names.pack) }

    func contains(_ name: String, _ names: ObjectNames) -> Bool {
        names.parsePack(name).map { packs.contains($0) } ?? self.names.contains(name)
    }
}

/// Names of objects that nothing needed at one time: `APP/tombs/ID`, sealed as a record is.
///
/// A publisher counts what stands in one as missing and sends it again. What is still not needed after the grace is deleted, then the tomb.
struct Tomb {
    static let mostNames = 10_000

    let created: Instant
    let names: [String]

    func object() -> [UInt8] {
        let body: Value = [
            "format": 1, "created": .integer(created.nanosecondsSince1970), "names": .list(names.sorted().map { .string($0) }),
        ]
        let sealed: Value = ["body": body, "sha256": .string(ContentHash(of: Array(body.json().utf8)).hex)]
        return Array((sealed.json() + "\n").utf8)
    }

    init(created: Instant, names: [String]) {
        self.created = created
        self.names = names
    }

    init(parsing object: [UInt8]) throws(Malformed) {
        guard let sealed = try? Value(json: String(decoding: object, as: UTF8.self)), let seal = sealed["sha256"].string,
            ContentHash(of: Array(sealed["body"].json().utf8)).hex == seal
        else { throw Malformed("its checksum is wrong") }
        guard sealed["body"]["format"].integer == 1, let created = sealed["body"]["created"].integer,
            let names = sealed["body"]["names"].list
        else { throw Malformed("its format is newer than this program") }
        self.init(created: Instant(nanosecondsSince1970: created), names: names.compactMap(\.string))
    }

    /// The names that stand in tombs; a tomb that is damaged holds none.
    static func named(in store: any ObjectStore, _ names: ObjectNames, _ existing: some Sequence<String>) async throws -> Set<String> {
        var named: Set<String> = []
        for name in existing where name.hasPrefix(names.tombs) {
            // One that was removed meanwhile has done its work.
            guard let tomb = try? Tomb(parsing: try await store.get(name)) else { continue }
            named.formUnion(tomb.names)
        }
        return named
    }
}
