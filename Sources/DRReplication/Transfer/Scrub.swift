internal import DRModel
internal import DRSupport

/// Reads everything that the points of an own copy need, here and in a store, and replaces what is damaged on one side by what is sound on the other.
struct Scrub {
    let copy: OwnCopy
    let store: any ObjectStore
    let clock: any WallClock

    private var names: ObjectNames { copy.names }

    func run() async throws -> Scrubbed {
        let lock = try copy.lock()
        defer { lock.release() }
        try copy.removeLeftovers()
        var scrubbed = Scrubbed()
        var verified = try Verified(copy)
        var seen: Set<String> = []
        for record in try await records(&scrubbed) {
            try await check(names.manifests(record.manifests), &seen, &scrubbed, &verified)
            for volume in record.volumes {
                let name = names.map(volume.index)
                try await check(name, &seen, &scrubbed, &verified)
                // Without its index nobody knows what the volume needs; it is named as lost already.
                guard let index = try? VolumeIndex(parsing: try copy.read(name), name: volume.index) else { continue }
                for pack in index.packs { try await check(names.pack(pack), &seen, &scrubbed, &verified) }
            }
        }
        try copy.settle()
        try verified.write()
        return scrubbed
    }

    /// The records of all points here, healed where they can be.
    private func records(_ scrubbed: inout Scrubbed) async throws -> [PointRecord] {
        let folder = copy.path(String(names.points.dropLast()))
        guard try copy.io.facts(folder)?.kind == .folder else { return [] }
        var records: [PointRecord] = []
        for name in try copy.io.list(folder) {
            guard let id = try? PointID(String(decoding: name, as: UTF8.self)) else { continue }
            for file in try copy.io.list(folder / name) {
                let object = names.points(id) + String(decoding: file, as: UTF8.self)
                guard names.parseRecord(object) != nil else { continue }
                var none: Set<String> = []
                var verified = try Verified(copy)
                try await check(object, &none, &scrubbed, &verified)
                if let record = try? PointRecord(parsing: try copy.read(object)) { records.append(record) }
            }
        }
        return records
    }

    private func check(_ name: String, _ seen: inout Set<String>, _ scrubbed: inout Scrubbed, _ verified: inout Verified) async throws {
        guard seen.insert(name).inserted else { return }
        try Task.checkCancellation()
        let here = sound(name, try? copy.read(name))
        var there: [UInt8]?
        var isThere = true
        do { there = sound(name, try await store.get(name)) } catch let error as DRError where error.code == .notFound { isThere = false }
        scrubbed.objects += 1
        switch (here, there) {
        case (.some(let bytes), .some): scrubbed.bytes += Int64(bytes.count)
        case (nil, .some(let bytes)):
            failpoint("scrub.here")
            try copy.write(name, bytes)
            scrubbed.healed.append("the own copy's \(name)")
        case (.some(let bytes), nil):
            // What was swept from the store is not brought back; what is damaged there would stand in the way of its own kind for ever.
            if isThere {
                failpoint("scrub.there")
                try await store.delete(name)
                try await store.put(name, bytes)
                scrubbed.healed.append("store \(store.name)'s \(name)")
            }
        case (nil, nil): scrubbed.lost.append(name)
        }
        if let pack = names.parsePack(name) {
            if here == nil, there == nil { verified.drop(pack) } else { verified.note(pack, clock.now()) }
        }
    }

    private func sound(_ name: String, _ object: [UInt8]?) -> [UInt8]? {
        guard let object, (try? ObjectCheck.check(name, object)) != nil else { return nil }
        return object
    }
}

/// What an object's name says of its bytes.
enum ObjectCheck {
    /// Throws when the bytes are not what the name says.
    static func check(_ name: String, _ object: [UInt8]) throws(Malformed) {
        let parts = name.split(separator: "/")
        guard parts.count >= 3, let last = parts.last else { throw Malformed("it has no known kind") }
        switch parts[1] {
        case "packs":
            let pack = try Pack(parsing: object)
            guard pack.id.description == last else { throw Malformed("it is another pack") }
            try pack.check(object)
        case "manifests":
            guard ContentHash(of: object).hex == last else { throw Malformed("its checksum is wrong") }
        case "points":
            guard try PointRecord(parsing: object).draft.id.text == parts[2] else { throw Malformed("it is the record of another point") }
        default:
            guard let hash = ContentHash(hex: String(last)) else { throw Malformed("it has no known kind") }
            _ = try VolumeIndex(parsing: object, name: hash)
        }
    }
}
