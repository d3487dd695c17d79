internal import DRModel
internal import DRSupport

/// Brings a point from a store into the own copy: what is missing is fetched and checked, then all of it is read back, and the record comes last.
struct Receiver {
    let copy: OwnCopy
    let store: any ObjectStore
    let clock: any WallClock

    private var names: ObjectNames { copy.names }

    func receive(_ id: PointID) async throws -> Reception {
        let lock = try copy.lock()
        defer { lock.release() }
        try copy.removeLeftovers()
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

        var received: Int64 = 0
        received += try await fetch(record)
        try copy.settle()
        failpoint("receive.verify")
        // Objects of earlier points may have been damaged here since: the store's are as good.
        var healed: Set<String> = []
        while true {
            do {
                try PointReader(copy).verify(record)
                break
            } catch let error as DamagedCopy where healed.insert(error.object).inserted {
                received += try await fetch(error.object)
                try copy.settle()
            } catch let error as DamagedCopy {
                throw damaged(error.object, in: "the own copy", Malformed(error.what))
            }
        }
        failpoint("receive.record")
        try copy.write(newest.name, object)
        try copy.settle()
        failpoint("receive.recorded")
        var point = record.point
        point.verifiedAt = clock.now()
        return Reception(point: point, bytesReceived: ByteCount(received + Int64(object.count)))
    }

    private func fetch(_ record: PointRecord) async throws -> Int64 {
        var received = try await fetchMissing(names.manifests(record.manifests))
        let reader = PointReader(copy)
        for volume in record.volumes {
            received += try await fetchMissing(names.map(volume.index))
            let index = try await healing(&received) { try reader.index(volume) }
            var packs: Set<PackID> = []
            for entry in index.entries {
                try Task.checkCancellation()
                received += try await fetchMissing(names.map(entry.page))
                let page = try await healing(&received) { try reader.page(entry) }
                for location in page.locations where packs.insert(location.pack).inserted {
                    received += try await fetchMissing(names.pack(location.pack))
                }
            }
        }
        return received
    }

    /// An object that was here before and turns out damaged is fetched once more.
    private func healing<Result>(_ received: inout Int64, _ body: () throws -> Result) async throws -> Result {
        do { return try body() } catch let error as DamagedCopy {
            received += try await fetch(error.object)
            do { return try body() } catch let error as DamagedCopy {
                throw damaged(error.object, in: "store \(store.name)", Malformed(error.what))
            }
        }
    }

    private func fetchMissing(_ name: String) async throws -> Int64 { try copy.has(name) ? 0 : try await fetch(name) }

    private func fetch(_ name: String) async throws -> Int64 {
        let object: [UInt8]
        do {
            object = try await store.get(name)
        } catch let error as DRError where error.code == .notFound {
            throw damaged(name, in: "store \(store.name)", Malformed("it is missing"))
        }
        do throws(Malformed) { try check(name, object) } catch { throw damaged(name, in: "store \(store.name)", error) }
        failpoint("receive.object")
        try copy.write(name, object)
        return Int64(object.count)
    }

    /// Nothing enters the own copy that is not what its name says.
    private func check(_ name: String, _ object: [UInt8]) throws(Malformed) {
        let parts = name.split(separator: "/")
        guard parts.count == 3, let last = parts.last else { throw Malformed("it has no known kind") }
        switch parts[1] {
        case "packs":
            let pack = try Pack(parsing: object)
            guard pack.id.description == last else { throw Malformed("it is another pack") }
            try checkChunks(pack, object)
        case "manifests":
            guard ContentHash(of: object).hex == last else { throw Malformed("its checksum is wrong") }
        default:
            guard let hash = ContentHash(hex: String(last)) else { throw Malformed("it has no known kind") }
            if object.starts(with: "DRPAGE1\n".utf8) {
                _ = try StoredPage(parsing: object, name: hash, Compressor())
            } else {
                _ = try VolumeIndex(parsing: object, name: hash)
            }
        }
    }

    private func checkChunks(_ pack: Pack, _ object: [UInt8]) throws(Malformed) {
        let compressor = Compressor()
        for (number, chunk) in pack.chunks.enumerated() {
            let range = Int(chunk.location.offset)..<Int(chunk.location.offset + chunk.location.stored)
            do {
                let bytes = try unsafe object.withUnsafeBytes {
                    try unsafe compressor.unpack(
                        UnsafeRawBufferPointer(rebasing: $0[range]), chunk.location.codec, length: Int(chunk.length))
                }
                guard ContentHash(of: bytes) == chunk.hash else { throw Malformed("its checksum is wrong") }
            } catch { throw Malformed("chunk \(number): \((error as? Malformed)?.what ?? "it cannot be read")") }
        }
    }
}
