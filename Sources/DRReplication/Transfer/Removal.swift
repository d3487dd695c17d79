internal import DRModel
internal import DRSupport

/// Deletes objects of a store beside publishers: says first what goes (`APP/sweeps/ID`), then looks for records that need it, and again every hundred
/// objects. A publisher looks for that after its record is there, so one of the two sees the other.
struct Removal {
    let store: any ObjectStore
    let names: ObjectNames
    let clock: any WallClock
    let random: any RandomSource
    /// Records that were looked at already.
    let known: Set<String>

    /// How many objects go before the store is looked at once more.
    private static let step = 100

    /// In the order given. Says what was deleted, and what must wait for another time because there is no room at all.
    func run(_ due: [String]) async throws -> (removed: [String], left: Set<String>) {
        var removed: [String] = []
        var left: Set<String> = []
        for start in stride(from: 0, to: due.count, by: Tomb.mostNames) {
            let batch = Array(due[start..<min(due.count, start + Tomb.mostNames)])
            do { removed += try await remove(batch, announced: true) } catch let error as DRError where error.code == .noSpace {
                // Not even the announcement has room. Nobody takes records and packs by their names for their own, so they go without; that makes room.
                let unnamed = batch.filter { names.parseRecord($0) != nil || names.parsePack($0) != nil }
                removed += try await remove(unnamed, announced: false)
                let named = batch.filter { names.parseRecord($0) == nil && names.parsePack($0) == nil }
                do { removed += try await remove(named, announced: true) } catch let error as DRError where error.code == .noSpace {
                    left.formUnion(named)
                }
            }
        }
        return (removed, left)
    }

    private func remove(_ due: [String], announced: Bool) async throws -> [String] {
        guard !due.isEmpty else { return [] }
        let began = clock.now()
        let mark = names.sweeps + random.identifier()
        if announced { try await store.put(mark, Tomb(created: began, names: due).object()) }
        failpoint("sweep.marked")
        var removed: [String] = []
        do {
            var seen = known
            var needed = Needed()
            for (number, name) in due.enumerated() {
                if number % Self.step == 0 {
                    if announced, try await !store.exists(mark) { break }
                    // Others wait for no sweep that takes longer than that.
                    if Tomb(created: began, names: []).isStale(clock.now()) { break }
                    try await look(&seen, &needed)
                }
                if needed.contains(name, names) { continue }
                failpoint("sweep.delete")
                try await store.delete(name)
                removed.append(name)
            }
        } catch {
            // Best effort: a mark that stays counts for an hour.
            if announced { try? await store.delete(mark) }
            throw error
        }
        if announced { try await store.delete(mark) }
        return removed
    }

    /// Adds what records need that were not seen before.
    private func look(_ seen: inout Set<String>, _ needed: inout Needed) async throws {
        let records = try await store.list(prefix: names.points).compactMap { names.parseRecord($0.name) }
        // The points that are there are why the rest may go, and those that are not no longer need it: neither may end with the power.
        try await store.settle([names.points])
        for record in records where !seen.contains(record.name) {
            // One that was taken back meanwhile needs nothing.
            guard let object = try await found(record.name, in: store) else { continue }
            let parsed: PointRecord
            do throws(Malformed) { parsed = try PointRecord(parsing: object) } catch {
                throw damaged(record.name, in: "store \(store.name)", error)
            }
            needed.add(record.name)
            try await needed.add(parsed, names) { try await storedIndex($0, in: store, names) }
            seen.insert(record.name)
        }
    }
}
