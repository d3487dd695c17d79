internal import DRModel

/// An object of the own copy is not what was written.
struct DamagedCopy: Error {
    static let missing = "it is missing"
    let object: String
    let reason: Malformed
    var what: String { reason.what }

    init(object: String, _ reason: Malformed) {
        self.object = object
        self.reason = reason
    }

    init(object: String, what: String) { self.init(object: object, Malformed(what)) }

    /// Nil when the failure says nothing of the object: the disk is full, or nobody may read it.
    init?(object: String, _ failure: IOFailure) {
        guard failure.isMissing || failure.isDamage else { return nil }
        self.init(object: object, what: failure.isMissing ? Self.missing : "it cannot be read: \(failure)")
    }

    /// Reads of an object; what the disk no longer gives is damage like any other.
    static func noticing<Result>(_ object: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as IOFailure { throw DamagedCopy(object: object, error) ?? error }
    }
}

/// A cluster's own copy of the points of one application: the same objects under the same names as in a store, under `.dr/copies`.
final class OwnCopy {
    let root: StorePath
    let names: ObjectNames
    let packs: PackFiles
    let io: any StoreIO
    private let cluster: StorePath
    private let random: any RandomSource
    private var touched: Set<StorePath> = []
    private var ready: Set<StorePath> = []

    init(_ application: ApplicationName, in cluster: StorePath, io: any StoreIO, random: any RandomSource) {
        root = cluster / ".dr" / "copies"
        names = ObjectNames(application: application)
        packs = PackFiles(root, names, io: io)
        self.cluster = cluster
        self.io = io
        self.random = random
    }

    var home: StorePath { root / names.application.text }

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

    func read(_ name: String) throws -> [UInt8] { try DamagedCopy.noticing(name) { try io.readWhole(path(name)) } }

    /// Whole and durable, or absent; its name is durable after `settle`.
    func write(_ name: String, _ bytes: [UInt8]) throws { try parcel(name).write(bytes) }

    /// The place of an object to come; another thread may write it.
    func parcel(_ name: String) throws -> Parcel {
        let target = path(name)
        for folder in [target.folder, home / "tmp"] where !ready.contains(folder) {
            try io.makeFolders(folder, below: cluster)
            ready.insert(folder)
        }
        touched.insert(target.folder)
        return Parcel(temporary: home / "tmp" / random.identifier(), target: target, pack: names.parsePack(name), packs: packs, io: io)
    }

    struct Parcel: Sendable {
        fileprivate let temporary: StorePath
        fileprivate let target: StorePath
        fileprivate let pack: PackID?
        fileprivate let packs: PackFiles
        fileprivate let io: any StoreIO

        func write(_ bytes: [UInt8]) throws {
            do {
                let file = try io.open(temporary, .create, permissions: 0o600)
                try unsafe bytes.withUnsafeBytes { try unsafe file.writeThrough(at: 0, $0) }
                try file.sync()
                try file.close()
            } catch let error as IOFailure {
                // A full disk should not stay full of it; what cannot be removed goes with the next run.
                try? io.removeFile(temporary)
                throw error
            }
            try io.rename(temporary, target, .replace)
            if let pack { packs.forget(pack) }
        }
    }

    func settle() throws {
        try io.sync([], folders: touched.sorted())
        touched = []
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
            } catch { bad.append(DamagedCopy(object: name.name, error)) }
        }
        return (sound.sorted { $0.name.attempt > $1.name.attempt }, bad)
    }

    private func wholeRecord(_ name: String) throws(Malformed) -> [UInt8] {
        do { return try read(name) } catch { throw Malformed("it cannot be read") }
    }
}
