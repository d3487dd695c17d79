internal import DRModel

/// An object of the own copy is not what was written.
struct DamagedCopy: Error {
    let object: String
    let what: String
}

/// A cluster's own copy of the points of one application: the same objects under the same names as in a store, under `.dr/copies`.
final class OwnCopy {
    let root: StorePath
    let names: ObjectNames
    private let cluster: StorePath
    private let io: any StoreIO
    private let random: any RandomSource
    private var touched: Set<StorePath> = []
    private var ready: Set<StorePath> = []
    private var packs: [(id: PackID, file: any StoreFile)] = []

    private static let openPacks = 8

    init(_ application: ApplicationName, in cluster: StorePath, io: any StoreIO, random: any RandomSource) {
        root = cluster / ".dr" / "copies"
        names = ObjectNames(application: application)
        self.cluster = cluster
        self.io = io
        self.random = random
    }

    private var home: StorePath { root / names.application.text }

    /// One process at a time brings points in.
    func lock() throws -> any StoreLock {
        try io.makeFolders(home, below: cluster)
        guard let lock = try io.lock(home / "lock", wait: false) else {
            throw DRError(
                .locked, "another process is receiving a point of \(names.application) into \(home)", hint: "wait until it is done")
        }
        return lock
    }

    /// What a killed run left half written. Call it with the lock held.
    func removeLeftovers() throws {
        try io.removeTree(home / "tmp")
        ready.remove(home / "tmp")
    }

    func path(_ name: String) -> StorePath { root / name }

    func has(_ name: String) throws -> Bool {
        guard try io.facts(path(name))?.kind == .file else { return false }
        // A killed run may have left it before its name, or that of its folder, was durable.
        let folder = path(name).folder
        if ready.insert(folder).inserted { try io.makeFolders(folder, below: cluster) }
        touched.insert(folder)
        return true
    }

    func read(_ name: String) throws -> [UInt8] {
        do {
            return try io.readWhole(path(name))
        } catch let error as IOFailure where error.isMissing {
            throw DamagedCopy(object: name, what: "it is missing")
        }
    }

    /// Whole and durable, or absent; its name is durable after `settle`.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        let target = path(name)
        for folder in [target.folder, home / "tmp"] where !ready.contains(folder) {
            try io.makeFolders(folder, below: cluster)
            ready.insert(folder)
        }
        let temporary = home / "tmp" / random.identifier()
        let file = try io.open(temporary, .create, permissions: 0o600)
        try unsafe bytes.withUnsafeBytes { try unsafe file.write(at: 0, $0) }
        try file.sync()
        try file.close()
        try io.rename(temporary, target, .replace)
        touched.insert(target.folder)
        packs.removeAll { names.pack($0.id) == name }
    }

    func settle() throws {
        for folder in touched.sorted() { try io.syncFolder(folder) }
        touched = []
    }

    func bytes(at location: ChunkLocation) throws -> [UInt8] {
        let file = try pack(location.pack)
        var stored = [UInt8](repeating: 0, count: Int(location.stored))
        let count = try unsafe stored.withUnsafeMutableBytes { try unsafe file.read(at: Int64(location.offset), into: $0) }
        guard count == stored.count else { throw DamagedCopy(object: names.pack(location.pack), what: "it ends too early") }
        return stored
    }

    private func pack(_ id: PackID) throws -> any StoreFile {
        if let position = packs.firstIndex(where: { $0.id == id }) {
            let found = packs.remove(at: position)
            packs.append(found)
            return found.file
        }
        do {
            let file = try io.open(path(names.pack(id)), .read, permissions: 0)
            if packs.count == Self.openPacks { try packs.removeFirst().file.close() }
            packs.append((id, file))
            return file
        } catch let error as IOFailure where error.isMissing {
            throw DamagedCopy(object: names.pack(id), what: "it is missing")
        }
    }

    /// The records of a point here, newest attempt first. A record that is damaged is left out and named.
    func records(of id: PointID) throws -> (sound: [(name: RecordName, record: PointRecord)], damaged: [DamagedCopy]) {
        let folder = path(String(names.points(id).dropLast()))
        guard try io.facts(folder)?.kind == .folder else { return ([], []) }
        var sound: [(name: RecordName, record: PointRecord)] = []
        var bad: [DamagedCopy] = []
        for file in try io.list(folder) {
            guard let name = names.parseRecord(names.points(id) + String(decoding: file, as: UTF8.self)) else { continue }
            do throws(Malformed) {
                sound.append((name, try PointRecord(parsing: try wholeRecord(name.name))))
            } catch { bad.append(DamagedCopy(object: name.name, what: error.what)) }
        }
        return (sound.sorted { $0.name.attempt > $1.name.attempt }, bad)
    }

    private func wholeRecord(_ name: String) throws(Malformed) -> [UInt8] {
        do { return try read(name) } catch { throw Malformed("it cannot be read") }
    }
}
