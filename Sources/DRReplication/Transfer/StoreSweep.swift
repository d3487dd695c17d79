internal import DRModel
internal import DRSupport

/// Removes from a store what no kept point needs, in two steps that are a grace apart.
///
/// Safe beside publishers: one that began after the first step counts what is to go as missing, one that began before has the whole grace to end and shows
/// that it lives by new packs. Where both meet all the same, each says what it does and then looks for the other: the sweep for records, after it put down
/// what it removes, and again every hundred objects; the publisher for that, after its record is there.
struct StoreSweep {
    let store: any ObjectStore
    let names: ObjectNames
    let keeping: Set<PointID>
    let clock: any WallClock
    let random: any RandomSource
    let grace: Duration

    /// However old: what the next publications build upon.
    private static let newest = 2
    /// How many objects go before the store is looked at once more.
    private static let step = 100

    func run() async throws -> Swept {
        let now = clock.now()
        var swept = Swept()
        var existing: [String: Int64] = [:]
        for object in try await store.list(prefix: names.all) { existing[object.name] = object.size.bytes }
        let records = existing.keys.compactMap(names.parseRecord)
        let (kept, gone) = try await split(records, now)
        var needed = Needed()
        for record in kept {
            try await needed.add(record, names) { hash in try await index(hash) }
        }
        let garbage = Set(existing.keys.filter { isSwept($0) && !needed.contains($0, names) }).union(gone)
        // What is due first: it makes room, and needs none.
        var buried: Set<String> = []
        for name in existing.keys.filter({ $0.hasPrefix(names.tombs) || $0.hasPrefix(names.sweeps) }).sorted() {
            guard let tomb = try await tomb(name) else {
                // Nobody removes by what cannot be read, and what is garbage is found again.
                try await store.delete(name)
                continue
            }
            if name.hasPrefix(names.sweeps) {
                if tomb.isStale(now) { try await store.delete(name) }
                continue
            }
            guard now - tomb.created >= grace else {
                buried.formUnion(tomb.names)
                continue
            }
            let growing = live(existing.keys, garbage, tomb)
            let due = tomb.names.sorted(by: Self.order).filter { old in
                guard garbage.contains(old), existing[old] != nil else { return false }
                // A session that goes on: its packs stay, and what has no session's name may be its own.
                return growing.isEmpty || names.parseRecord(old) != nil
                    || names.parsePack(old).map { !growing.contains($0.session) } == true
            }
            for gone in try await remove(due, records) {
                swept.removed += 1
                swept.bytes += existing.removeValue(forKey: gone) ?? 0
            }
            failpoint("sweep.tomb")
            try await store.delete(name)
        }
        let fresh = garbage.filter { existing[$0] != nil && !buried.contains($0) }.sorted()
        for start in stride(from: 0, to: fresh.count, by: Tomb.mostNames) {
            let tomb = Tomb(created: now, names: Array(fresh[start..<min(fresh.count, start + Tomb.mostNames)]))
            failpoint("sweep.bury")
            try await store.put(names.tombs + random.identifier(), tomb.object())
        }
        swept.waiting = buried.intersection(garbage).count + fresh.count
        return swept
    }

    /// Deletes what no record needs that appeared since `known` were listed. Says which.
    private func remove(_ due: [String], _ known: [RecordName]) async throws -> [String] {
        guard !due.isEmpty else { return [] }
        let mark = names.sweeps + random.identifier()
        let began = clock.now()
        try await store.put(mark, Tomb(created: began, names: due).object())
        failpoint("sweep.marked")
        var removed: [String] = []
        do {
            var seen = Set(known.map(\.name))
            var needed = Needed()
            for (number, old) in due.enumerated() {
                if number % Self.step == 0 {
                    guard try await look(mark, began, &seen, &needed) else { break }
                }
                if needed.contains(old, names) { continue }
                failpoint("sweep.delete")
                try await store.delete(old)
                removed.append(old)
            }
        } catch {
            // Best effort: publishers wait for nothing, and a mark that stays counts for an hour.
            try? await store.delete(mark)
            throw error
        }
        try await store.delete(mark)
        return removed
    }

    /// Adds what records need that were not seen before. False when this sweep no longer counts as one: it took too long, and others do not wait for it.
    private func look(_ mark: String, _ began: Instant, _ seen: inout Set<String>, _ needed: inout Needed) async throws -> Bool {
        let now = clock.now()
        guard try await store.exists(mark), !Tomb(created: began, names: []).isStale(now) else { return false }
        for record in try await store.list(prefix: names.points).compactMap({ names.parseRecord($0.name) })
        where !seen.contains(record.name) {
            // One that was taken back meanwhile needs nothing.
            guard let object = try await found(record.name) else { continue }
            needed.add(record.name)
            try await needed.add(try parse(object, record.name), names) { try await index($0) }
            seen.insert(record.name)
        }
        return true
    }

    private func found(_ name: String) async throws -> [UInt8]? {
        do { return try await store.get(name) } catch let error as DRError where error.code == .notFound { return nil }
    }

    private func tomb(_ name: String) async throws -> Tomb? {
        guard let object = try await found(name) else { return nil }
        do throws(Malformed) { return try Tomb(parsing: object) } catch {
            if error.isNewer { throw damaged(name, in: "store \(store.name)", error) }
            return nil
        }
    }

    /// Points first, so that none stands there without what it names.
    private static func order(_ a: String, _ b: String) -> Bool {
        func rank(_ name: String) -> Int { name.contains("/points/") ? 0 : name.contains("/packs/") ? 2 : 1 }
        return (rank(a), a) < (rank(b), b)
    }

    private func isSwept(_ name: String) -> Bool {
        [names.packs, names.maps, names.allManifests].contains { name.hasPrefix($0) }
    }

    /// Sessions that have put packs since the tomb was made, and no record yet.
    private func live(_ existing: some Sequence<String>, _ garbage: Set<String>, _ tomb: Tomb) -> Set<Session> {
        let buried = Set(tomb.names)
        return Set(existing.filter { garbage.contains($0) && !buried.contains($0) }.compactMap { names.parsePack($0)?.session })
    }

    /// Records to keep, and the names of those to let go. A record that cannot be read keeps everything: nobody knows what it needs.
    private func split(_ records: [RecordName], _ now: Instant) async throws -> (kept: [PointRecord], gone: Set<String>) {
        let newestFirst = records.sorted { $1.age.lexicographicallyPrecedes($0.age) }
        let last = Set(newestFirst.prefix(Self.newest).map(\.name))
        var kept: [PointRecord] = []
        var gone: Set<String> = []
        for name in newestFirst {
            // One that was taken back meanwhile needs nothing.
            guard let object = try await found(name.name) else { continue }
            let record = try parse(object, name.name)
            if keeping.contains(name.id) || last.contains(name.name) || now - record.instant < grace {
                kept.append(record)
            } else {
                gone.insert(name.name)
            }
        }
        return (kept, gone)
    }

    private func parse(_ object: [UInt8], _ name: String) throws -> PointRecord {
        do throws(Malformed) { return try PointRecord(parsing: object) } catch { throw damaged(name, in: "store \(store.name)", error) }
    }

    private func index(_ hash: ContentHash) async throws -> VolumeIndex {
        let name = names.map(hash)
        let object: [UInt8]
        do { object = try await store.get(name) } catch let error as DRError where error.code == .notFound {
            throw damaged(name, in: "store \(store.name)", Malformed("it is missing"))
        }
        do throws(Malformed) { return try VolumeIndex(parsing: object, name: hash) } catch {
            throw damaged(name, in: "store \(store.name)", error)
        }
    }
}
