internal import DRModel
internal import DRSupport

/// Sends one capture to a store: packs, pages, manifests, and last the record that makes them a point.
struct Publisher {
    let layout: StagingLayout
    let io: any StoreIO
    let random: any RandomSource
    let objectSize: ByteCount
    let store: any ObjectStore
    let capture: Capture

    private var names: ObjectNames { ObjectNames(application: capture.application) }

    func publish(_ draft: PointDraft, _ manifests: [ManifestObject]) async throws -> Publication {
        let session = Session(capture.key)
        var existing: [String: Int64] = [:]
        for object in try await store.list(prefix: names.all) { existing[object.name] = object.size.bytes }
        let records = existing.keys.compactMap(names.parseRecord)
        let attempts = records.filter { $0.id == draft.id }
        if let own = attempts.first(where: { $0.session == session }) { return try await published(own, draft) }

        let compressor = Compressor()
        let sender = PackSender(
            store: store, names: names, session: session, random: random, objectSize: objectSize, compressor: compressor)
        try await sender.adopt(existing)
        let newest = try await newestRecord(records)
        var bytesRead: Int64 = 0
        var mapBytes: Int64 = 0
        var volumes: [PointRecord.Volume] = []
        var parent: ContentHash?
        var caches: [(volume: VolumeName, frames: FrameWriter, file: any StoreFile)] = []
        for volume in capture.volumes {
            guard let live = try layout.findLive(volume, io: io) else {
                throw DRError(.volumeMissing, "volume \(volume) of \(capture.application) is no longer in \(layout.volumes)")
            }
            let captured = layout.captured(volume, key: capture.key)
            let catalogue = try CatalogueReader(captured, io: io)
            let cache = try await usableCache(of: volume, existing)
            let prior: PriorIndex
            if let cache {
                prior = try cache.index()
                parent = parent ?? cache.recordHash
            } else {
                prior = await priorInStore(newest?.record, volume, compressor)
                parent = parent ?? newest?.hash
            }
            var pageBytes: Int64 = 0
            let knownPages = existing
            var scan = VolumeScan(
                volume: volume, live: live.path, captured: captured, io: io, prior: prior, cache: cache, sender: sender,
                existing: existing, names: names,
                putPage: { page in
                    let name = names.map(page.name)
                    guard knownPages[name] == nil else { return }
                    failpoint("publish.map")
                    let object = page.object(compressor)
                    if try await store.put(name, object) { pageBytes += Int64(object.count) }
                })
            let next = try newCache(volume, began: catalogue.began)
            let index = try await scan.run(catalogue, nextCache: next.frames)
            caches.append((volume, next.frames, next.file))
            mapBytes += pageBytes
            bytesRead += scan.bytesRead
            let object = index.object()
            let name = ContentHash(of: object)
            mapBytes += try await put(names.map(name), object, unless: existing)
            let point = PointVolume(name: volume, kind: catalogue.kind, content: index.token, size: ByteCount(scan.size))
            volumes.append(PointRecord.Volume(volume: point, index: name))
        }
        try await sender.flush()
        let manifestBytes = ManifestList.object(manifests)
        failpoint("publish.manifests")
        mapBytes += try await put(names.manifests(ContentHash(of: manifestBytes)), manifestBytes, unless: existing)
        let record = PointRecord(
            draft: draft, application: capture.application, session: session, instant: capture.instant, consistency: capture.consistency,
            volumes: volumes, manifests: ContentHash(of: manifestBytes), parent: parent, packs: sender.packs)
        let object = record.object()
        let name = names.record(draft.id, attempt: (attempts.map(\.attempt).max() ?? 0) + 1, session: session)
        failpoint("publish.record")
        // From here on the point is there; until here there is nothing but objects that no record names.
        try await store.put(name, object)
        failpoint("publish.recorded")
        for cache in caches {
            // The point is there. A cache that cannot be kept costs one full read and is no reason to say that it is not.
            do { try finish(cache, record: name, hash: ContentHash(of: object)) } catch is IOFailure { continue }
        }
        return Publication(
            point: record.point, bytesRead: ByteCount(bytesRead), bytesSent: ByteCount(sender.bytesSent + mapBytes + Int64(object.count)))
    }

    private func put(_ name: String, _ object: [UInt8], unless existing: [String: Int64]) async throws -> Int64 {
        if existing[name] != nil { return 0 }
        return try await store.put(name, object) ? Int64(object.count) : 0
    }

    /// The run that was killed had come as far as the record: the point is what it says.
    private func published(_ own: RecordName, _ draft: PointDraft) async throws -> Publication {
        let record = try await read(own.name)
        guard record.draft.id == draft.id, record.draft.epoch == draft.epoch, record.draft.generation == draft.generation,
            record.draft.source == draft.source, record.draft.final == draft.final, record.application == capture.application
        else {
            throw DRError(.conflict, "\(own.name) in \(store.name) is not the point that \(capture.key) makes")
        }
        return Publication(point: record.point, bytesRead: .zero, bytesSent: .zero)
    }

    private func read(_ name: String) async throws -> PointRecord {
        let object = try await store.get(name)
        do throws(Malformed) { return try PointRecord(parsing: object) } catch { throw damaged(name, in: "store \(store.name)", error) }
    }

    // MARK: What an earlier point knew

    private func newestRecord(_ records: [RecordName]) async throws -> (record: PointRecord, hash: ContentHash)? {
        // A record that cannot be read is no base to build upon; the one before may be.
        for name in records.sorted(by: { $1.age.lexicographicallyPrecedes($0.age) }).prefix(3) {
            let object = try await store.get(name.name)
            if let record = try? PointRecord(parsing: object) { return (record, ContentHash(of: object)) }
        }
        return nil
    }

    /// A cache is believed only while the record that it belongs to is in this store.
    private func usableCache(of volume: VolumeName, _ existing: [String: Int64]) async throws -> ScanCache? {
        guard let cache = try ScanCache.open(volume, of: capture.application, in: layout.cluster, io: io), existing[cache.record] != nil,
            ContentHash(of: try await store.get(cache.record)) == cache.recordHash
        else { return nil }
        return cache
    }

    private func priorInStore(_ record: PointRecord?, _ volume: VolumeName, _ compressor: Compressor) async -> PriorIndex {
        guard let known = record?.volumes.first(where: { $0.volume.name == volume }),
            let object = try? await store.get(names.map(known.index)), let index = try? VolumeIndex(parsing: object, name: known.index)
        else { return .none() }
        var position = 0
        return PriorIndex {
            guard position < index.entries.count else { return nil }
            let hash = index.entries[position].page
            position += 1
            let page = try StoredPage(parsing: try await store.get(names.map(hash)), name: hash, compressor)
            return PriorIndex.Page(page: try page.page(), identities: [])
        }
    }

    // MARK: What the next point will know

    private func newCache(_ volume: VolumeName, began: Instant) throws -> (frames: FrameWriter, file: any StoreFile) {
        let path = ScanCache.newPath(volume, in: layout.cluster)
        try io.makeFolders(path.folder, below: layout.cluster)
        try io.removeTree(path)
        let file = try io.open(path, .create, permissions: 0o600)
        let frames = FrameWriter(file)
        try frames.write(ScanCache.header(capture.application, began: began))
        return (frames, file)
    }

    private func finish(_ cache: (volume: VolumeName, frames: FrameWriter, file: any StoreFile), record: String, hash: ContentHash) throws {
        try cache.frames.write(ScanCache.end(record: record, hash: hash))
        try cache.frames.finish()
        try cache.file.sync()
        try cache.file.close()
        failpoint("publish.scan")
        try io.rename(
            ScanCache.newPath(cache.volume, in: layout.cluster), ScanCache.path(cache.volume, in: layout.cluster), .replace)
    }
}

/// The manifests of a point as one object. Its name is the SHA-256 of its bytes.
enum ManifestList {
    static func object(_ manifests: [ManifestObject]) -> [UInt8] {
        let list = manifests.sorted { $0.key < $1.key }.map { manifest -> Value in
            var fields: [String: Value] = [
                "group": .string(manifest.key.group), "kind": .string(manifest.key.kind), "name": .string(manifest.key.name),
                "text": .string(manifest.text), "labels": .map(manifest.labels.mapValues { .string($0) }),
                "annotations": .map(manifest.annotations.mapValues { .string($0) }),
            ]
            if let namespace = manifest.key.namespace { fields["namespace"] = .string(namespace) }
            return .map(fields)
        }
        return Array((Value.map(["format": 1, "objects": .list(list)]).json() + "\n").utf8)
    }

    static func parse(_ object: [UInt8], name: ContentHash) throws(Malformed) -> [ManifestObject] {
        guard ContentHash(of: object) == name else { throw Malformed("its checksum is wrong") }
        guard let root = try? Value(json: String(decoding: object, as: UTF8.self)), root["format"].integer == 1,
            let list = root["objects"].list
        else { throw Malformed("it cannot be read") }
        var manifests: [ManifestObject] = []
        for item in list {
            guard let group = item["group"].string, let kind = item["kind"].string, let name = item["name"].string,
                let text = item["text"].string
            else { throw Malformed("an object in it is incomplete") }
            manifests.append(
                ManifestObject(
                    key: ObjectKey(group: group, kind: kind, namespace: item["namespace"].string, name: name),
                    labels: (item["labels"].map ?? [:]).compactMapValues(\.string),
                    annotations: (item["annotations"].map ?? [:]).compactMapValues(\.string), text: text))
        }
        return manifests
    }
}
