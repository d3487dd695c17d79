internal import DRModel
internal import DRSupport

/// Sends one capture to a store: packs, indexes, manifests, and last the record that makes them a point.
struct Publisher {
    let layout: StagingLayout
    let io: any StoreIO
    let clock: any WallClock
    let random: any RandomSource
    let objectSize: ByteCount
    let store: any ObjectStore
    let capture: Capture
    let workers: Workers
    /// How many objects are put at once.
    let lanes: Int

    private var names: ObjectNames { ObjectNames(application: capture.application) }

    /// The cache of a volume that the next publication will have.
    private struct NextCache {
        let volume: VolumeName
        let writer: ScanCacheWriter
        let began: Instant
        let mount: String
        let looked: Instant
        let secret: MarkSecret
        let kind: VolumeKind
        let clone: StorePath?
        /// The record whose clone is still what this one describes.
        let sameAs: ContentHash?
    }

    func publish(_ draft: PointDraft, _ manifests: [ManifestObject]) async throws -> Publication {
        let session = Session(capture.key)
        let lease = Lease(in: store, names, session, clock)
        try await lease.take()
        let publication: Publication
        do { publication = try await publish(draft, manifests, session, lease) } catch {
            // Best effort: it expires.
            try? await lease.end()
            throw error
        }
        // The point is there.
        do { try await lease.end() } catch is DRError {}
        return publication
    }

    private func publish(
        _ draft: PointDraft, _ manifests: [ManifestObject], _ session: Session, _ lease: Lease
    ) async throws -> Publication {
        var view = try await StoreView(of: store, names, now: clock.now())
        if let own = view.records(of: draft.id).first(where: { $0.session == session }) {
            if let done = try await published(own, draft) { return done }
            // It was taken back: what was listed before speaks of it still.
            view = try await StoreView(of: store, names, now: clock.now())
        }
        try await lease.takeOver(view.leases)
        let attempts = view.records(of: draft.id)
        let known = view.lasting
        let newest = try await newestRecord(known.keys.compactMap(names.parseRecord))
        let sent = try await Outbox.serving(store, lanes: lanes) { outbox in
            try await send(session, lease, known, view.doubted, manifests, newest, outbox)
        }
        let record = PointRecord(
            draft: draft, application: capture.application, session: session, instant: capture.instant, consistency: capture.consistency,
            volumes: sent.volumes, manifests: sent.manifests, parent: sent.parent?.hash, packs: sent.writer.packs,
            hasLinkedSymlinks: sent.hasLinkedSymlinks)
        let object = record.object()
        let name = names.record(draft.id, attempt: (attempts.map(\.attempt).max() ?? 0) + 1, session: session)
        try await lease.renew()
        failpoint("publish.record")
        // From here on the point is there; until here there is nothing but objects that no record names. What it names, put here or only found, is durable before it.
        let below = sent.needed.all(names) + [sent.parent?.name].compactMap(\.self)
        if try await !store.put(name, object, upon: below) { try await requireSame(name, object) }
        failpoint("publish.recorded")
        try await confirm(name, sent.needed)
        var warnings: [String] = []
        for cache in sent.caches {
            // The point is there. A cache that cannot be kept costs one full read and is no reason to say that it is not.
            do { try finish(cache, record: name, hash: ContentHash(of: object)) } catch let error as IOFailure {
                warnings.append("volume \(cache.volume) will be read whole next time, for what is known of it could not be kept: \(error)")
                // Half a cache only takes room; what cannot be removed is replaced next time.
                try? io.removeTree(ScanCache.newPath(cache.volume, in: layout.cluster))
            }
        }
        return Publication(
            point: record.point, bytesRead: ByteCount(sent.bytesRead),
            bytesSent: ByteCount(sent.writer.bytesSent + sent.objectBytes.withLock { $0 } + Int64(object.count)), warnings: warnings)
    }

    private struct Sent {
        let writer: PackWriter
        var volumes: [PointRecord.Volume] = []
        var caches: [NextCache] = []
        var parent: (name: String, hash: ContentHash)?
        var bytesRead: Int64 = 0
        var needed = Needed()
        var hasLinkedSymlinks = false
        let manifests: PointRecord.Manifests
        let objectBytes = Lock<Int64>(0)
    }

    private func send(
        _ session: Session, _ lease: Lease, _ existing: [String: Int64], _ doubted: Set<String>, _ manifests: [ManifestObject],
        _ newest: (name: String, record: PointRecord, hash: ContentHash)?, _ outbox: Outbox
    ) async throws -> Sent {
        let writer = PackWriter(outbox, names: names, session: session, lease: lease, random: random, objectSize: objectSize)
        try await writer.adopt(existing, from: store)
        let stored = Set(existing.keys.compactMap(names.parsePack))
        let listed = await ManifestUpload(store: store, names: names, writer: writer, stored: stored).send(manifests, after: newest?.record)
        // In a pack of their own: manifests stay the same for months, and would keep all the chunks beside them from being swept.
        writer.flush()
        var sent = Sent(writer: writer, manifests: .init(content: listed.token, index: ContentHash(of: listed.object())))
        for volume in capture.volumes {
            guard let live = try layout.findLive(volume, io: io) else {
                throw DRError(.volumeMissing, "volume \(volume) of \(capture.application) is no longer in \(layout.volumes)")
            }
            let captured = layout.captured(volume, key: capture.key, attempt: capture.attempt)
            let catalogue = try CatalogueReader(captured, io: io)
            let linked = try ScanCache.open(captured / "scan", of: capture.application, io: io)
            let kept = try linked ?? ScanCache.open(ScanCache.path(volume, in: layout.cluster), of: capture.application, io: io)
            let isHere = try await isRecordHere(kept, existing)
            // Without a link the capture wanted everything read again, or could not link: hashes count, marks do not.
            let cache = isHere ? linked : nil
            let prior: PriorIndex
            if let linked {
                prior = try linked.index()
                sent.parent = sent.parent ?? (isHere ? linked.header.parent : nil)
            } else if isHere, let kept {
                prior = try kept.index()
                sent.parent = sent.parent ?? kept.header.parent
            } else {
                prior = await priorInStore(newest?.record, volume)
                sent.parent = sent.parent ?? newest.map { ($0.name, $0.hash) }
            }
            let secret = cache?.header.secret ?? MarkSecret(random)
            let next = try newCache(volume)
            let reader = ChunkReader(
                io: io, volume: volume, writer: writer, scratches: Scratches(), stored: stored, secret: secret, believesMarks: cache != nil)
            var scan = VolumeScan(
                volume: volume, live: live.path, captured: captured, prior: prior, cache: cache, reader: reader, workers: workers,
                outbox: outbox, lease: lease, next: next)
            let index: PageIndex
            do { index = try await scan.run(catalogue) } catch let error as VolumeScan.LostCache {
                // The next capture must not believe it: only what a publication looks at may show the damage.
                try io.removeTree(ScanCache.path(volume, in: layout.cluster))
                throw error.asError
            }
            sent.hasLinkedSymlinks = sent.hasLinkedSymlinks || scan.hasLinkedSymlinks
            sent.bytesRead += scan.bytesRead
            let object = index.object()
            let name = ContentHash(of: object)
            sent.needed.add(index, names.map(name))
            put(names.map(name), object, unless: existing, doubted, sent.objectBytes, outbox)
            let point = PointVolume(name: volume, kind: catalogue.kind, content: index.token, size: ByteCount(scan.size))
            sent.volumes.append(PointRecord.Volume(volume: point, index: name))
            sent.caches.append(
                NextCache(
                    volume: volume, writer: next, began: catalogue.began, mount: catalogue.mount,
                    looked: cache?.header.looked ?? clock.now(), secret: secret,
                    kind: catalogue.kind, clone: scan.clone, sameAs: scan.isAllSame ? cache?.header.recordHash : nil))
        }
        writer.flush()
        sent.needed.add(listed, names.map(sent.manifests.index))
        put(names.map(sent.manifests.index), listed.object(), unless: existing, doubted, sent.objectBytes, outbox)
        return sent
    }

    private func put(
        _ name: String, _ object: [UInt8], unless existing: [String: Int64], _ doubted: Set<String>, _ bytes: Lock<Int64>, _ outbox: Outbox
    ) {
        if existing[name] != nil { return }
        outbox.push { [names] store in
            failpoint("publish.object")
            if doubted.contains(name) {
                // What is damaged there gives way to what the name stands for, the doubt last: until then nobody builds upon it.
                try await store.delete(name)
                try await store.put(name, object)
                try await store.delete(names.doubt(name))
                bytes.withLock { $0 += Int64(object.count) }
                return
            }
            if try await store.place(name, object) { bytes.withLock { $0 += Int64(object.count) } }
        }
    }

    /// The run that was killed had come as far as the record: the point is what it says.
    private func published(_ own: RecordName, _ draft: PointDraft) async throws -> Publication? {
        let record = try await read(own.name)
        guard record.draft.id == draft.id, record.draft.epoch == draft.epoch, record.draft.generation == draft.generation,
            record.draft.source == draft.source, record.draft.final == draft.final, record.application == capture.application
        else {
            throw DRError(.conflict, "\(own.name) in \(store.name) is not the point that \(capture.key) makes")
        }
        var needed = Needed()
        do {
            try await needed.add(record, names) { try PageIndex(parsing: try await store.get(names.map($0)), name: $0) }
            try await store.settle([own.name] + needed.all(names))
            try await confirm(own.name, needed)
        } catch let error as DRError where error.code == .conflict || error.code == .notFound {
            // It took longer than any sweep waits: what it was made of is gone, and so it is made again.
            try await store.delete(own.name)
            return nil
        } catch let error as Malformed { throw damaged(own.name, in: "store \(store.name)", error) }
        return Publication(point: record.point, bytesRead: .zero, bytesSent: .zero)
    }

    /// A sweep that began before this record was there may have removed what it names, or be about to. Then the point is taken back.
    ///
    /// A sweep looks for records after it said what it removes, and this looks for sweeps after the record is there: one of them sees the other.
    private func confirm(_ record: String, _ needed: Needed) async throws {
        let view = try await StoreView(of: store, names, now: clock.now())
        guard let lost = needed.all(names).first(where: { view.existing[$0] == nil || view.removing.contains($0) }) else { return }
        try await store.delete(record)
        throw DRError(
            .conflict, "\(lost) was removed from \(store.name) while a recovery point was made of it", hint: "migrate again")
    }

    /// Two processes carry the same session on: only when both made the same of it is the point this one's, too.
    private func requireSame(_ name: String, _ object: [UInt8]) async throws {
        guard try await store.get(name) != object else { return }
        throw DRError(
            .conflict, "\(name) in \(store.name) was written by another process meanwhile, with other content",
            hint: "one process at a time carries a migration on: end the other one, then migrate again")
    }

    private func read(_ name: String) async throws -> PointRecord {
        let object = try await store.get(name)
        do throws(Malformed) { return try PointRecord(parsing: object) } catch { throw damaged(name, in: "store \(store.name)", error) }
    }

    // MARK: What an earlier point knew

    private func newestRecord(_ records: [RecordName]) async throws -> (name: String, record: PointRecord, hash: ContentHash)? {
        // A record that cannot be read is no base to build upon; the one before may be.
        for name in records.sorted(by: { $1.age.lexicographicallyPrecedes($0.age) }).prefix(3) {
            let object: [UInt8]
            do { object = try await store.get(name.name) } catch let error as DRError
                where [.notFound, .damaged, .keyMissing].contains(error.code)
            {
                continue
            }
            if let record = try? PointRecord(parsing: object) { return (name.name, record, ContentHash(of: object)) }
        }
        return nil
    }

    /// A cache is believed only while the record that it belongs to is in this store.
    private func isRecordHere(_ cache: ScanCache?, _ existing: [String: Int64]) async throws -> Bool {
        guard let header = cache?.header, existing[header.record] != nil else { return false }
        do { return ContentHash(of: try await store.get(header.record)) == header.recordHash } catch let error as DRError
            where [.notFound, .damaged, .keyMissing].contains(error.code)
        { return false }
    }

    private func priorInStore(_ record: PointRecord?, _ volume: VolumeName) async -> PriorIndex {
        guard let known = record?.volumes.first(where: { $0.volume.name == volume }),
            let object = try? await store.get(names.map(known.index)), let index = try? PageIndex(parsing: object, name: known.index)
        else { return .none() }
        let pages = StoredPages(index, in: store, names)
        return PriorIndex { try await pages.next().map { .page($0) } }
    }

    // MARK: What the next point will know

    private func newCache(_ volume: VolumeName) throws -> ScanCacheWriter {
        let path = ScanCache.newPath(volume, in: layout.cluster)
        return try ScanCacheWriter {
            try io.makePlainFolders(path.folder, below: layout.cluster)
            try io.removeTree(path)
            return try io.open(path, .create, permissions: 0o600)
        }
    }

    private func finish(_ cache: NextCache, record: String, hash: ContentHash) throws {
        try cache.writer.finish { pages, end in
            ScanCache.Header(
                application: capture.application, began: cache.began, mount: cache.mount, looked: cache.looked, secret: cache.secret,
                record: record,
                recordHash: hash, kind: cache.kind, pages: pages, end: end)
        }
        try keepBase(cache, hash)
        failpoint("publish.scan")
        try io.rename(
            ScanCache.newPath(cache.volume, in: layout.cluster), ScanCache.path(cache.volume, in: layout.cluster), .replace)
    }

    /// The clone stands under the name of its record, so that no cache takes another's for its own.
    private func keepBase(_ cache: NextCache, _ record: ContentHash) throws {
        let folder = layout.bases(cache.volume)
        let base = layout.base(cache.volume, record)
        if let clone = cache.clone ?? cache.sameAs.map({ layout.base(cache.volume, $0) }), try io.facts(clone)?.kind == .file {
            try io.makePlainFolders(folder, below: layout.cluster)
            try io.rename(clone, base, .replace)
        }
        guard try io.facts(folder)?.kind == .folder else { return }
        for name in try io.list(folder) where name != base.lastComponent { try io.removeTree(folder / name) }
    }
}
