internal import DRModel
internal import DRSupport

/// Removes from a store what no kept point needs, in two steps that are a grace apart.
///
/// Safe beside publishers: one that began after the first step counts what is to go as missing, one that began before has the whole grace to end, shows that it
/// lives by new packs, and looks once more when its record is there.
struct StoreSweep {
    let store: any ObjectStore
    let names: ObjectNames
    let keeping: Set<PointID>
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
        let records = existing.keys.compactMap(names.parseRecord)
        let (kept, gone) = try await split(records, now)
        var needed = Needed()
        for record in kept {
            try await needed.add(record, names) { hash in try await index(hash) }
        }
        let garbage = Set(existing.keys.filter { isSwept($0) && !needed.contains($0, names) }).union(gone)
        // What is due first: it makes room, and needs none.
        var buried: Set<String> = []
        for name in existing.keys.filter({ $0.hasPrefix(names.tombs) }).sorted() {
            let tomb: Tomb
            let object = try await store.get(name)
            do throws(Malformed) { tomb = try Tomb(parsing: object) } catch {
                try await store.delete(name)
                continue
            }
            guard now - tomb.created >= grace else {
                buried.formUnion(tomb.names)
                continue
            }
            let growing = live(existing.keys, garbage, tomb)
            for old in tomb.names.sorted(by: Self.order) where garbage.contains(old) && existing[old] != nil {
                if !growing.isEmpty {
                    // A session that goes on: its packs stay, and what has no session's name may be its own.
                    guard names.parseRecord(old) != nil || names.parsePack(old).map({ !growing.contains($0.session) }) == true else {
                        continue
                    }
                }
                failpoint("sweep.delete")
                try await store.delete(old)
                swept.removed += 1
                swept.bytes += existing.removeValue(forKey: old) ?? 0
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
            let object = try await store.get(name.name)
            let record: PointRecord
            do throws(Malformed) { record = try PointRecord(parsing: object) } catch {
                throw damaged(name.name, in: "store \(store.name)", error)
            }
            if keeping.contains(name.id) || last.contains(name.name) || now - record.instant < grace {
                kept.append(record)
            } else {
                gone.insert(name.name)
            }
        }
        return (kept, gone)
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
