internal import DRModel
internal import DRSupport

/// Brings a point from a store into the own copy: what is missing is fetched and checked, what is here is read back unless that was done lately, and the
/// record comes last.
struct Receiver {
    let copy: OwnCopy
    /// Whose copy it is.
    let cluster: ClusterName
    let store: any ObjectStore
    let clock: any WallClock
    let workers: Workers

    private var names: ObjectNames { copy.names }

    func receive(_ id: PointID) async throws -> Reception {
        let lock = try copy.lock()
        defer { lock.release() }
        try copy.removeLeftovers()
        // Before it takes anything: whoever sweeps the store asks this cluster, too.
        try await store.put(names.reader(cluster), Array("\(cluster)\n".utf8))
        let records = try await store.list(prefix: names.points(id)).compactMap { names.parseRecord($0.name) }
        guard let newest = records.max(by: { ($0.attempt, $0.session.text) < ($1.attempt, $1.session.text) }) else {
            throw DRError(
                .notFound, "store \(store.name) holds no recovery point \(id) of \(names.application)",
                hint: "it was never published there whole; migrate again")
        }
        let object = try await store.get(newest.name)
        let record: PointRecord
        do throws(Malformed) {
            record = try PointRecord(parsing: object)
            guard record.draft.id == id, record.application == names.application else {
                throw Malformed("it is the record of another point")
            }
        } catch { throw damaged(newest.name, in: "store \(store.name)", error) }

        var work = Reading(copy: copy, store: store, workers: workers, verified: try Verified(copy), now: clock.now())
        let oldest = try await work.bring(record)
        // A point that a destination has is one of the store, too.
        try await store.settle([newest.name])
        failpoint("receive.record")
        try copy.write(newest.name, object)
        try copy.settle()
        failpoint("receive.recorded")
        // What cannot be noted is read once more next time.
        do { try work.verified.write() } catch is IOFailure {}
        var point = record.point
        point.verifiedAt = oldest
        return Reception(point: point, bytesReceived: ByteCount(work.received + Int64(object.count)))
    }

    /// Reads all that a point of the own copy needs, whatever was noted, and fetches what is not as it was written. Says which objects those were.
    func mend(_ point: RecoveryPoint) async throws -> [String] {
        let lock = try copy.lock()
        defer { lock.release() }
        try copy.removeLeftovers()
        var mended: [String] = []
        let record: PointRecord
        if let here = try copy.records(of: point.id).sound.map(\.record).first(where: { $0.isRecord(of: point) }) {
            record = here
        } else {
            let (name, there, object) = try await PointRecord.find(point, in: store, names)
            try copy.write(name, object)
            mended.append(name)
            record = there
        }
        var work = Reading(copy: copy, store: store, workers: workers, verified: try Verified(copy), now: clock.now())
        work.believesNothing()
        _ = try await work.bring(record)
        try copy.settle()
        do { try work.verified.write() } catch is IOFailure {}
        return mended + work.fetched.sorted()
    }

    private struct Reading {
        let copy: OwnCopy
        let store: any ObjectStore
        let workers: Workers
        var verified: Verified
        let now: Instant
        var received: Int64 = 0
        private(set) var fetched: Set<String> = []
        private var healed: Set<String> = []

        init(copy: OwnCopy, store: any ObjectStore, workers: Workers, verified: Verified, now: Instant) {
            self.copy = copy
            self.store = store
            self.workers = workers
            self.verified = verified
            self.now = now
        }

        private var names: ObjectNames { copy.names }

        /// Every pack is read, also one that was sound some days ago.
        mutating func believesNothing() { for pack in verified.packs.keys { verified.drop(pack) } }

        /// When the pack that was read longest ago was read.
        mutating func bring(_ record: PointRecord) async throws -> Instant {
            let reader = PointReader(copy, workers: workers)
            try await fetchMissing(names.map(record.manifests.index))
            var packs = Set(try await healing { try reader.index(record.manifests) }.packs)
            try await fetchPacks(packs)
            for volume in record.volumes {
                try await fetchMissing(names.map(volume.index))
                let index = try await healing { try reader.index(volume) }
                try await fetchPacks(Set(index.packs).subtracting(packs))
                packs.formUnion(index.packs)
            }
            try copy.settle()
            failpoint("receive.verify")
            try await readBack(packs)
            _ = try await healing { try reader.manifests(record) }
            for volume in record.volumes { try compare(volume, reader) }
            return packs.compactMap { verified.packs[$0] }.min() ?? now
        }

        /// Every pack that was not read lately, whole. One that is damaged is fetched once more: the store's is as good.
        private mutating func readBack(_ packs: Set<PackID>) async throws {
            let due = packs.filter { !verified.isSound($0, now: now) }.sorted()
            let check = PackCheck(copy)
            var next = 0
            while next < due.count {
                try Task.checkCancellation()
                let some = due[next..<min(due.count, next + max(1, workers.width * 2))]
                let tickets = some.map { pack in workers.submit { [name = names.pack(pack)] in try check.whole(name, pack) } }
                // None is at work any more when one of them turns out damaged.
                defer { for ticket in tickets { _ = try? ticket.wait() } }
                for (pack, ticket) in zip(some, tickets) {
                    do { try ticket.wait() } catch let error as DamagedCopy {
                        try await heal(error)
                        do { try check.whole(names.pack(pack), pack) } catch let error as DamagedCopy {
                            throw damaged(error.object, in: "the own copy", error.reason)
                        }
                    }
                    verified.note(pack, now)
                }
                next += some.count
            }
            try copy.settle()
        }

        /// That the map leads to chunks which the packs hold: they were all read.
        private func compare(_ volume: PointRecord.Volume, _ reader: PointReader) throws {
            do {
                try reader.walk(
                    volume, node: { _ in },
                    chunks: { _, chunks in
                        for chunk in chunks {
                            guard let stored = try copy.packs.chunk(at: chunk.location), stored.hash == chunk.hash,
                                stored.location == chunk.location, Int(stored.length) == chunk.length
                            else { throw DamagedCopy(object: names.map(volume.index), what: "a chunk is not where it says") }
                        }
                    })
            } catch let error as DamagedCopy { throw damaged(error.object, in: "the own copy", error.reason) }
        }

        private mutating func heal(_ error: DamagedCopy) async throws {
            guard !error.reason.isNewer, healed.insert(error.object).inserted else {
                throw damaged(error.object, in: "the own copy", error.reason)
            }
            if let pack = names.parsePack(error.object) {
                copy.packs.forget(pack)
                verified.drop(pack)
            }
            try await fetch(error.object)
        }

        /// An object that was here before and turns out damaged is fetched once more.
        private mutating func healing<Result>(_ body: () throws -> Result) async throws -> Result {
            do { return try body() } catch let error as DamagedCopy {
                try await heal(error)
                do { return try body() } catch let error as DamagedCopy {
                    throw damaged(error.object, in: "store \(store.name)", error.reason)
                }
            }
        }

        private mutating func fetchMissing(_ name: String) async throws { if try !copy.has(name) { try await fetch(name) } }

        /// The next one comes while the last ones are checked and written.
        private mutating func fetchPacks(_ packs: Set<PackID>) async throws {
            var writes = Pending<Void>(most: max(1, workers.width))
            // On the way, perhaps: each is asked for once more, alone.
            let damaged = Lock<[String]>([])
            do { try await fetchPacks(packs, &writes, damaged) } catch {
                writes.abandon()
                throw error
            }
            for name in damaged.withLock({ $0.sorted() }) { try await fetch(name) }
        }

        private mutating func fetchPacks(_ packs: Set<PackID>, _ writes: inout Pending<Void>, _ damaged: Lock<[String]>) async throws {
            for pack in packs.sorted() where try !copy.has(names.pack(pack)) {
                try Task.checkCancellation()
                verified.drop(pack)
                let name = names.pack(pack)
                let object: [UInt8]
                do { object = try await naming(name) { try await store.get(name) } } catch let error as DRError
                    where error.code == .damaged
                {
                    // Asked again, alone, it says what is wrong with it.
                    try await fetch(name)
                    continue
                }
                fetched.insert(name)
                received += Int64(object.count)
                let parcel = try copy.parcel(name)
                try writes.add(
                    workers.submit {
                        guard (try? ObjectCheck.check(name, object)) != nil else { return damaged.withLock { $0.append(name) } }
                        failpoint("receive.object")
                        try parcel.write(object)
                    })
            }
            try writes.finish()
        }

        private func naming<Result>(_ name: String, _ body: () async throws -> Result) async throws -> Result {
            do { return try await body() } catch let error as DRError where error.code == .notFound {
                throw damaged(name, in: "store \(store.name)", Malformed("it is missing"))
            }
        }

        private mutating func fetch(_ name: String) async throws {
            let object = try await naming(name) {
                try await doubting(name) {
                    let object = try await store.get(name)
                    do throws(Malformed) { try ObjectCheck.check(name, object) } catch { throw DamagedCopy(object: name, error) }
                    return object
                }
            }
            failpoint("receive.object")
            try copy.write(name, object)
            fetched.insert(name)
            received += Int64(object.count)
        }

        /// Fetches an object, and twice when it is not what its name says: it may have been the way. Damaged still, it is doubted from then on: it stays where it
        /// is, for another copy may show it sound, but the next migration sends again what stands in it.
        private func doubting(_ name: String, _ body: () async throws -> [UInt8]) async throws -> [UInt8] {
            var isSecond = false
            while true {
                var failure: DRError
                do { return try await body() } catch let error as DamagedCopy {
                    failure = damaged(name, in: "store \(store.name)", error.reason)
                    if error.reason.isNewer { throw failure }
                } catch let error as DRError where error.code == .damaged && error.details?["newer"].bool != true { failure = error }
                if isSecond {
                    failure.hint = "migrate again: what stands in it is sent anew by a source that has it"
                    do { try await store.put(names.doubt(name), []) } catch let error as DRError {
                        failure.hint = "the next migration will build upon it again, for that could not be noted: \(error.message)"
                    }
                    throw failure
                }
                isSecond = true
            }
        }
    }
}
