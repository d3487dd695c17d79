internal import DRModel
internal import DRSupport

/// Removes from an own copy what no kept point needs. Nobody else writes there while the lock is held, and kept points are all that anybody reads.
struct CopySweep {
    let copy: OwnCopy
    let keeping: Set<PointID>
    let clock: any WallClock

    /// A point that came in lately may be on its way into a list.
    private static let grace = Duration.seconds(3600)

    func run() async throws -> Swept {
        let lock = try copy.lock()
        defer { lock.release() }
        try copy.removeLeftovers()
        let names = copy.names
        var swept = Swept()
        var needed = Needed()
        var gone: [StorePath] = []
        for id in try list(names.points) {
            guard let point = try? PointID(id) else { continue }
            let (sound, bad) = try copy.records(of: point)
            if keeping.contains(point) || sound.contains(where: { clock.now() - $0.record.instant < Self.grace }) {
                // Nobody knows what a damaged record needs.
                if let first = bad.first { throw first }
                for (_, record) in sound { try await needed.add(record, names) { try index($0) } }
            } else {
                gone.append(copy.path(names.points(point)))
            }
        }
        for folder in gone.map({ StorePath(bytes: Array($0.bytes.dropLast())) }) {
            failpoint("sweep.delete")
            try copy.io.removeTree(folder)
            swept.removed += 1
        }
        // Also what a killed sweep removed: a record that came back would miss what goes now.
        let points = copy.path(String(names.points.dropLast()))
        if try copy.io.facts(points)?.kind == .folder { try copy.io.syncFolder(points) }
        var verified = try Verified(copy)
        for prefix in [names.maps, names.packs] {
            for name in try list(prefix).map({ prefix + $0 }) where !needed.contains(name, names) {
                guard let facts = try copy.io.facts(copy.path(name)), facts.kind == .file else { continue }
                failpoint("sweep.delete")
                try copy.io.removeFile(copy.path(name))
                if let pack = names.parsePack(name) { verified.drop(pack) }
                swept.removed += 1
                swept.bytes += facts.size
            }
        }
        try verified.write()
        return swept
    }

    private func list(_ prefix: String) throws -> [String] {
        let folder = copy.path(String(prefix.dropLast()))
        guard try copy.io.facts(folder)?.kind == .folder else { return [] }
        return try copy.io.list(folder).map { String(decoding: $0, as: UTF8.self) }
    }

    private func index(_ hash: ContentHash) throws -> PageIndex {
        let name = copy.names.map(hash)
        do throws(Malformed) { return try PageIndex(parsing: try read(name), name: hash) } catch {
            throw DamagedCopy(object: name, error)
        }
    }

    private func read(_ name: String) throws(Malformed) -> [UInt8] {
        do { return try copy.read(name) } catch { throw Malformed("it cannot be read") }
    }
}
