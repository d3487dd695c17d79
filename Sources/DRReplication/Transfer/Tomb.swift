internal import DRModel

/// Which objects of an application something still needs.
struct Needed {
    private(set) var names: Set<String> = []
    private(set) var packs: Set<PackID> = []

    /// Everything that a record leads to. `read` gives the bytes of an index.
    mutating func add(_ record: PointRecord, _ names: ObjectNames, index: (ContentHash) async throws -> PageIndex) async throws {
        for hash in record.indexes { add(try await index(hash), names.map(hash)) }
    }

    mutating func add(_ index: PageIndex, _ name: String) {
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
/// A publisher counts what stands in one as missing and sends it again. What is still not needed after the grace is deleted, then the tomb. While that goes
/// on the same stands under `APP/sweeps/ID`, with the time when it began.
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
        guard sealed["body"]["format"].integer == 1 else { throw .newer }
        guard let created = sealed["body"]["created"].integer, let names = sealed["body"]["names"].list else {
            throw Malformed("it is incomplete")
        }
        self.init(created: Instant(nanosecondsSince1970: created), names: names.compactMap(\.string))
    }

    /// Whoever removes things looks again more often than that; a sweep that says it began longer ago died.
    static let mostRemoving = Duration.seconds(3600)

    func isStale(_ now: Instant) -> Bool { now - created > Self.mostRemoving || created - now > Self.mostRemoving }
}

/// What a store holds of one application, and what of it will not last.
struct StoreView {
    /// With sizes.
    private(set) var existing: [String: Int64] = [:]
    /// Names that stand in a tomb.
    private(set) var buried: Set<String> = []
    /// Names under which something damaged stands.
    private(set) var doubted: Set<String> = []
    /// Names that a sweep may be removing now.
    private(set) var removing: Set<String> = []
    private let names: ObjectNames

    /// What is to be removed is missing already.
    var lasting: [String: Int64] { existing.filter { !buried.contains($0.key) && !removing.contains($0.key) && !doubted.contains($0.key) } }

    var leases: [Lease.Name] { existing.keys.compactMap(names.parseLease) }

    func records(of id: PointID) -> [RecordName] { existing.keys.compactMap(names.parseRecord).filter { $0.id == id } }

    /// Lists again for as long as sweeps end meanwhile: what they removed still stands in the old list. Throws `damaged` for a tomb of a later program.
    init(of store: any ObjectStore, _ names: ObjectNames, now: Instant) async throws {
        self.names = names
        while try await !read(store, now) {}
    }

    private mutating func read(_ store: any ObjectStore, _ now: Instant) async throws -> Bool {
        (existing, buried, removing) = ([:], [], [])
        for object in try await store.list(prefix: names.all) { existing[object.name] = object.size.bytes }
        doubted = Set(existing.keys.compactMap(names.parseDoubt))
        for name in existing.keys.sorted() where name.hasPrefix(names.tombs) || name.hasPrefix(names.sweeps) {
            let object: [UInt8]
            do { object = try await store.get(name) } catch let error as DRError where [.notFound, .keyMissing].contains(error.code) {
                if error.code == .notFound { return false }
                // Sealed with a key that is gone: nobody removes by what cannot be read.
                continue
            }
            let tomb: Tomb
            do throws(Malformed) { tomb = try Tomb(parsing: object) } catch {
                if error.isNewer { throw damaged(name, in: "store \(store.name)", error) }
                // Nobody removes by what cannot be read.
                continue
            }
            if name.hasPrefix(names.tombs) { buried.formUnion(tomb.names) } else if !tomb.isStale(now) { removing.formUnion(tomb.names) }
        }
        return true
    }
}
