internal import DRModel
internal import DRSupport

/// Removes from a store what no kept point needs, in two steps that are a grace apart.
///
/// Safe beside publishers: one that began after the first step counts what is to go as missing; what was buried after one began waits for it (`Lease`).
/// Where both meet all the same, each says what it does and then looks for the other (`Removal`, `Publisher.confirm`).
struct StoreSweep {
    let store: any ObjectStore
    let names: ObjectNames
    let keeping: Set<PointID>
    /// The clusters that were asked what they need. When others use the store nothing is removed: nobody knows what they need.
    let asked: Set<ClusterName>
    let clock: any WallClock
    let random: any RandomSource
    let grace: Duration

    /// However old: what the next publications build upon.
    private static let newest = 2

    func run() async throws -> Swept {
        let now = clock.now()
        var swept = Swept()
        var existing: [String: Int64] = [:]
        for object in try await store.list(prefix: names.all) { existing[object.name] = object.size.bytes }
        let records = try await records(existing.keys.compactMap(names.parseRecord))
        try requireAsked(records, existing.keys)
        let kept = kept(records, now)
        var needed = Needed()
        for (name, record) in records where kept.contains(name.name) { try await needed.add(record, names) { try await index($0) } }
        let gone = records.filter { !kept.contains($0.name.name) }
        let garbage = Set(existing.keys.filter { isSwept($0) && !needed.contains($0, names) }).union(gone.map(\.name.name))

        // What was damaged is gone, and so is the word of it.
        for name in existing.keys { if let object = names.parseDoubt(name), existing[object] == nil { try await store.delete(name) } }
        let leases = existing.keys.compactMap(names.parseLease)
        for lease in leases where !lease.isLive(now) { try await store.delete(lease.name) }
        let graves = try await graves(existing.keys, before: leases.filter { $0.isLive(now) }.map(\.began).min(), now)
        // What is due first: it makes room, and needs none. Of all tombs together, so that no point stands there without what it names.
        var due = Set(graves.due.flatMap(\.tomb.names)).filter { garbage.contains($0) && existing[$0] != nil }
        for (name, record) in gone where !due.contains(name.name) {
            var still = Needed()
            do { try await still.add(record, names) { try await index($0) } } catch let error as DRError where error.code == .damaged {
                continue  // Nobody could use it.
            }
            due = due.filter { !still.contains($0, names) }
        }
        let removal = Removal(store: store, names: names, clock: clock, random: random, known: Set(records.map(\.name.name)))
        let (removed, left) = try await removal.run(due.sorted(by: Self.order))
        for removed in removed {
            swept.removed += 1
            swept.bytes += existing.removeValue(forKey: removed) ?? 0
        }
        var waiting = graves.waiting
        for (name, tomb) in graves.due {
            guard left.isDisjoint(with: tomb.names) else {
                waiting.formUnion(tomb.names)
                continue
            }
            failpoint("sweep.tomb")
            try await store.delete(name)
        }
        let fresh = garbage.filter { existing[$0] != nil && !waiting.contains($0) }.sorted(by: Self.order)
        for start in stride(from: 0, to: fresh.count, by: Tomb.mostNames) {
            let tomb = Tomb(created: now, names: Array(fresh[start..<min(fresh.count, start + Tomb.mostNames)]))
            failpoint("sweep.bury")
            try await store.put(names.tombs + random.identifier(), tomb.object())
        }
        swept.waiting = waiting.intersection(garbage.filter { existing[$0] != nil }).count + fresh.count
        return swept
    }

    /// Points first.
    private static func order(_ a: String, _ b: String) -> Bool {
        func rank(_ name: String) -> Int { name.contains("/points/") ? 0 : name.contains("/packs/") ? 2 : 1 }
        return (rank(a), a) < (rank(b), b)
    }

    private func isSwept(_ name: String) -> Bool {
        [names.packs, names.maps].contains { name.hasPrefix($0) }
    }

    // MARK: Tombs

    private struct Graves {
        var due: [(name: String, tomb: Tomb)] = []
        /// What stands in the others.
        var waiting: Set<String> = []
    }

    /// `before`: when the oldest publication began that goes on. It may need what was buried since.
    private func graves(_ existing: some Sequence<String>, before: Instant?, _ now: Instant) async throws -> Graves {
        var graves = Graves()
        for name in existing.filter({ $0.hasPrefix(names.tombs) || $0.hasPrefix(names.sweeps) }).sorted() {
            guard let tomb = try await tomb(name) else {
                // Nobody removes by what cannot be read, and what is garbage is found again.
                try await store.delete(name)
                continue
            }
            if name.hasPrefix(names.sweeps) {
                if tomb.isStale(now) { try await store.delete(name) }
            } else if now - tomb.created >= grace, before.map({ tomb.created < $0 }) ?? true {
                graves.due.append((name, tomb))
            } else {
                graves.waiting.formUnion(tomb.names)
            }
        }
        return graves
    }

    /// Nil for one that is damaged, gone, or sealed with a key that is.
    private func tomb(_ name: String) async throws -> Tomb? {
        let object: [UInt8]
        do { object = try await store.get(name) } catch let error as DRError where [.notFound, .damaged, .keyMissing].contains(error.code) {
            return nil
        }
        do throws(Malformed) { return try Tomb(parsing: object) } catch {
            if error.isNewer { throw damaged(name, in: "store \(store.name)", error) }
            return nil
        }
    }

    // MARK: Records

    /// A record that cannot be read keeps everything: nobody knows what it needs.
    private func records(_ listed: [RecordName]) async throws -> [(name: RecordName, record: PointRecord)] {
        var records: [(name: RecordName, record: PointRecord)] = []
        for name in listed.sorted(by: { $1.age.lexicographicallyPrecedes($0.age) }) {
            // One that was taken back meanwhile needs nothing.
            guard let object = try await found(name.name, in: store) else { continue }
            do throws(Malformed) { records.append((name, try PointRecord(parsing: object))) } catch {
                throw damaged(name.name, in: "store \(store.name)", error)
            }
        }
        return records
    }

    private func kept(_ records: [(name: RecordName, record: PointRecord)], _ now: Instant) -> Set<String> {
        let last = records.prefix(Self.newest).map(\.name.name)
        return Set(last).union(
            records.filter { keeping.contains($0.name.id) || now - $0.record.instant < grace }.map(\.name.name))
    }

    private func requireAsked(_ records: [(name: RecordName, record: PointRecord)], _ existing: some Sequence<String>) throws {
        let readers = existing.compactMap(names.parseReader)
        let others = Set(records.map(\.record.draft.source.text)).union(readers).subtracting(asked.map(\.text))
        guard others.isEmpty else {
            throw DRError(
                .conflict,
                "store \(store.name) holds points of \(names.application) for \(others.sorted().listed), which nobody could ask what it needs",
                hint:
                    "declare every cluster that uses the store in dr.yaml, or remove its mark \(names.readers)NAME once it is gone for good"
            )
        }
    }

    private func index(_ hash: ContentHash) async throws -> PageIndex { try await storedIndex(hash, in: store, names) }
}

/// Nil when it is not there.
func found(_ name: String, in store: any ObjectStore) async throws -> [UInt8]? {
    do { return try await store.get(name) } catch let error as DRError where error.code == .notFound { return nil }
}

/// Throws `damaged` when it is missing, too.
func storedIndex(_ hash: ContentHash, in store: any ObjectStore, _ names: ObjectNames) async throws -> PageIndex {
    let name = names.map(hash)
    guard let object = try await found(name, in: store) else { throw damaged(name, in: "store \(store.name)", Malformed("it is missing")) }
    do throws(Malformed) { return try PageIndex(parsing: object, name: hash) } catch {
        throw damaged(name, in: "store \(store.name)", error)
    }
}
