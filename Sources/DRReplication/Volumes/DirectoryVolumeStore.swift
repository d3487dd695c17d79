public import DRModel
internal import DRSupport

/// The volumes of an embedded cluster: folders and images under `volumes/` of its directory, everything else under `.dr/`.
///
/// `.dr/staging` holds captures and volumes that are not live yet, `.dr/copies` this cluster's own copy of points, `.dr/scan` a cache. Calls block and belong on the engine's thread.
/// Memory stays within a few objects, whatever the volumes' size. Errors: `cluster-unreachable` when the directory is gone, `volume-missing`, `volume-unsupported`, `damaged`, `no-space`,
/// `io`, and those of the store.
public struct DirectoryVolumeStore: VolumeStore {
    private let cluster: ClusterName
    private let directory: StorePath
    private let io: any StoreIO
    private let clock: any WallClock
    private let random: any RandomSource
    private let objectSize: ByteCount?
    private let width: Int

    private var layout: StagingLayout { StagingLayout(cluster: directory) }

    /// `cluster`: whose volumes they are. `objectSize`: how large a pack may grow, 1 MiB to 512 MiB; when not given, what cluster.yaml says. `parallel`: threads for reading, hashing and
    /// compressing, one for each processor when not given; with 0 everything is done in one order by the caller's.
    public init(
        cluster: ClusterName, directory: StorePath, io: any StoreIO, clock: any WallClock, random: any RandomSource,
        objectSize: ByteCount? = nil,
        parallel: Int? = nil
    ) {
        self.cluster = cluster
        self.directory = directory
        self.io = io
        self.clock = clock
        self.random = random
        self.objectSize = objectSize
        width = parallel ?? Workers.processors
    }

    /// `waiting`: half the time the threads wait for the disk, so there are twice as many.
    private func working<Result>(waiting: Bool = false, _ body: (Workers) async throws -> Result) async throws -> Result {
        try await reporting {
            let workers = Workers("volume", width: waiting ? width * 2 : width)
            defer { workers.stop() }
            return try await body(workers)
        }
    }

    /// How large packs may grow here.
    private func packSize() throws -> ByteCount {
        if let objectSize { return objectSize }
        let path = directory / "cluster.yaml"
        guard try io.facts(path)?.kind == .file else { return ByteCount(16 << 20) }
        return try ClusterYAML.facts(String(decoding: try io.readWhole(path), as: UTF8.self), file: path.description).objectSize
    }

    public func stat(_ volume: VolumeName) async throws -> VolumeFacts? {
        try await working { workers in
            guard let live = try layout.findLive(volume, io: io) else { return nil }
            var walk = TreeWalk(volume, at: live.path, io: io, workers: workers)
            var allocated: Int64 = 0
            while let entry = try walk.next() {
                // A file with several names is counted in parts.
                if entry.facts.kind == .file { allocated += entry.facts.allocated / Int64(max(1, entry.facts.links)) }
            }
            return VolumeFacts(kind: live.kind, allocated: ByteCount(allocated))
        }
    }

    public func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture
    {
        try await working { workers in
            try await VolumeCapture(
                layout: layout, io: io, clock: clock, application: application, key: key, workers: workers, attempt: random.identifier()
            ).capture(volumes, stopped: stopped)
        }
    }

    public func publish(
        _ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore
    ) async throws -> Publication {
        try await working { workers in
            try await Publisher(
                layout: layout, io: io, clock: clock, random: random, objectSize: try packSize(), store: store, capture: capture,
                workers: workers, lanes: width == 0 ? 0 : 3
            ).publish(draft, manifests)
        }
    }

    public func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception {
        try await working { workers in
            let copy = copy(of: application)
            return try await heads(copy, workers).makingRoom {
                try await Receiver(copy: copy, cluster: cluster, store: store, clock: clock, workers: workers).receive(point)
            }
        }
    }

    public func verify(_ point: RecoveryPoint) async throws {
        try await working { workers in
            let copy = copy(of: point.application)
            try copy.doubting { try PointReader(copy, workers: workers).verify(try record(of: point, in: copy)) }
        }
    }

    public func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] {
        try await reporting {
            let copy = copy(of: point.application)
            return try PointReader(copy, workers: Workers("manifests", width: 0)).manifests(try record(of: point, in: copy))
        }
    }

    public func objects(of point: RecoveryPoint) async throws -> [String] {
        try await reporting {
            let copy = copy(of: point.application)
            let reader = PointReader(copy, workers: Workers("objects", width: 0))
            let record = try record(of: point, in: copy)
            var needed = Needed()
            needed.add(try reader.index(record.manifests), copy.names.map(record.manifests.index))
            for volume in record.volumes { needed.add(try reader.index(volume), copy.names.map(volume.index)) }
            return needed.all(copy.names)
        }
    }

    public func manifests(of point: RecoveryPoint, from store: any ObjectStore) async throws -> [ManifestObject] {
        let names = ObjectNames(application: point.application)
        return try await PointRecord.find(point, in: store, names).record.manifests(in: store, names)
    }

    /// How long it waits for whoever receives: a scrub reads on for some seconds, and the application is down.
    private static let patience = 30

    public func mend(_ point: RecoveryPoint, from store: any ObjectStore) async throws -> [String] {
        try await working { workers in
            for attempt in 0... {
                let copy = copy(of: point.application)
                let receiver = Receiver(copy: copy, cluster: cluster, store: store, clock: clock, workers: workers)
                do { return try await heads(copy, workers).makingRoom { try await receiver.mend(point) } } catch let error as DRError
                    where error.code == .locked && attempt < Self.patience
                { try await clock.sleep(for: .seconds(1)) }
            }
            return []
        }
    }

    public func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws
        -> StagedVolume
    {
        try await working(waiting: true) { workers in
            let copy = copy(of: point.application)
            let record = try record(of: point, in: copy)
            guard let recorded = record.volumes.first(where: { $0.volume == volume }) else {
                throw DRError(.volumeMissing, "recovery point \(point.id) holds no such volume \(volume.name)")
            }
            let folder = layout.folder(of: key)
            let staged = layout.staged(name, volume.kind, key: key)
            // No volume's name begins with a dot. Nor has a process that slept while its run was taken over a name in common with this one.
            let prefix = ".building-\(name)"
            var building = folder / "\(prefix)-\(random.identifier())"
            try io.makeFolders(folder, below: directory)
            // What stands there gets such a name first: one that slept here, and wakes when another is about to make the volume live, takes away all of it or nothing.
            if try io.facts(staged) != nil { try io.rename(staged, folder / "\(prefix)-\(random.identifier())", .keep) }
            for left in try io.list(folder) where left.starts(with: prefix.utf8) { try io.removeTree(folder / left) }
            // Under another name it is to be a clone, and what stands by stays for the day it is needed.
            let given = await heads(copy, workers).give(recorded, to: building, keeps: name != volume.name)
            if given == nil {
                try await heads(copy, workers).makingRoom {
                    building = folder / "\(prefix)-\(random.identifier())"
                    try build(recorded, at: building, copy, workers)
                }
            }
            try io.rename(building, staged, .keep)
            try io.syncFolder(folder)
            failpoint("materialise.staged")
            return StagedVolume(volume: name, key: key, content: volume.content, size: volume.size, verifiedAt: given)
        }
    }

    private func build(_ volume: PointRecord.Volume, at building: StorePath, _ copy: OwnCopy, _ workers: Workers) throws {
        do {
            try copy.doubting { try Materialisation.build(volume, at: building, from: PointReader(copy, workers: workers), io: io) }
        } catch let error as IOFailure {
            // A full disk should not stay full of what nobody can use.
            try? io.removeTree(building)
            throw error
        }
        failpoint("materialise.sync")
        try io.syncFilesystem(building.folder)
    }

    public func standBy(_ point: RecoveryPoint) async throws {
        try await working { workers in
            let copy = copy(of: point.application)
            try await heads(copy, workers).standBy(try record(of: point, in: copy))
        }
    }

    public func standDown(_ application: ApplicationName) async throws {
        try await working { try await heads(copy(of: application), $0).standDown() }
    }

    public func standingBy(_ application: ApplicationName) async throws -> ByteCount {
        try await working { heads(copy(of: application), $0).size() }
    }

    public func sweep(_ application: ApplicationName, keeping points: Set<PointID>) async throws -> Swept {
        try await reporting { try await CopySweep(copy: copy(of: application), keeping: points, clock: clock).run() }
    }

    public func sweep(
        _ store: any ObjectStore, of application: ApplicationName, keeping points: Set<PointID>, asked clusters: Set<ClusterName>
    ) async throws -> Swept {
        try await reporting {
            try await StoreSweep(
                store: store, names: ObjectNames(application: application), keeping: points, asked: clusters, clock: clock,
                random: random,
                grace: .seconds(86_400)
            ).run()
        }
    }

    public func scrub(
        _ application: ApplicationName, with store: any ObjectStore, after: String?, most: ByteCount
    ) async throws -> Scrubbed {
        try await working { workers in
            let copy = copy(of: application)
            let heads = heads(copy, workers)
            var scrubbed = Scrubbed()
            // No object is called so: no application's name begins with a dot.
            let standing = ".heads/"
            if !(after?.hasPrefix(standing) ?? false) {
                scrubbed = try await Scrub(copy: copy, store: store, clock: clock, after: after, most: most).run()
                guard scrubbed.next == nil else { return scrubbed }
                if scrubbed.bytes >= most.bytes, try heads.stand() {
                    scrubbed.next = standing
                    return scrubbed
                }
            }
            let read: Scrubbed
            do {
                read = try await heads.scrub(
                    after: after.flatMap { $0.hasPrefix(standing) ? String($0.dropFirst(standing.count)) : nil } ?? "",
                    most: ByteCount(most.bytes - scrubbed.bytes))
            } catch let error as DRError where error.code == .locked && scrubbed.objects > 0 {
                // What was read and healed so far is told all the same, and not read again.
                scrubbed.next = standing
                return scrubbed
            }
            scrubbed.add(read)
            scrubbed.next = read.next.map { standing + $0 }
            return scrubbed
        }
    }

    public func discard(_ key: OperationKey) async throws {
        try await reporting {
            for folder in [layout.folder(of: key), layout.captures(of: key)] { try io.removeTree(folder) }
        }
    }

    private func copy(of application: ApplicationName) -> OwnCopy { OwnCopy(application, in: directory, io: io, random: random) }

    private func heads(_ copy: OwnCopy, _ workers: Workers) -> Heads {
        Heads(copy: copy, cluster: directory, io: io, clock: clock, workers: workers)
    }

    /// The record here whose content is the point's: an id alone could be that of an earlier attempt.
    private func record(of point: RecoveryPoint, in copy: OwnCopy) throws -> PointRecord {
        let (sound, bad) = try copy.records(of: point.id)
        for (_, record) in sound where record.isRecord(of: point) { return record }
        if let first = bad.first { throw first }
        throw DRError(
            .damaged, "recovery point \(point.id) is not in the own copy of \(directory)",
            hint: "use another recovery point, or migrate again")
    }

    private func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        guard try io.facts(directory)?.kind == .folder else { throw unreachable }
        do { return try await body() } catch let error as IOFailure {
            if error.isMissing, try io.facts(directory)?.kind != .folder { throw unreachable }
            throw error.asError
        } catch let error as DamagedCopy {
            throw damaged(error.object, in: "the own copy of \(directory)", error.reason)
        }
    }

    private var unreachable: DRError { DRError(.clusterUnreachable, "the cluster's directory \(directory) is not there") }
}

extension OwnCopy {
    /// What turns out damaged must not be passed over next time because it was sound some days ago.
    func doubting(_ body: () throws -> Void) throws {
        do { try body() } catch let error as DamagedCopy {
            if let pack = names.parsePack(error.object) {
                var verified = try Verified(self)
                verified.drop(pack)
                try verified.write()
            }
            throw error
        }
    }
}
