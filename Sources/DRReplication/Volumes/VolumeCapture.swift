internal import Crypto
internal import DRModel
internal import DRSupport

/// Freezes the volumes of an application, as well as the filesystem can.
///
/// Stopped volumes are only described; their bytes are read from the live files later, and every file is checked to be still the one that was described.
/// Running ones are copied (by reflink where that works), and the copy counts as one instant only when it is shown that no file of the whole set changed
/// between the beginning and the end. What that shows and what it does not: docs/decisions/consistency.md.
struct VolumeCapture {
    let layout: StagingLayout
    let io: any StoreIO
    let clock: any WallClock
    let application: ApplicationName
    let key: OperationKey
    let workers: Workers
    /// Another one for each capture.
    let attempt: String

    private static let attempts = 8
    private static let quietProbes = 200
    private static let quietStep = Duration.milliseconds(10)
    /// How long before the beginning the last change must have been: several ticks of the clock that stamps files.
    private static let margin = Duration.milliseconds(20)
    /// A page that was changed through a memory map shows in the file's times only when it was clean before. The kernel cleans pages after half a minute.
    private static let writebackAge = Duration.seconds(60)

    func capture(_ volumes: [VolumeName], stopped: Bool) async throws -> Capture {
        var live: [(name: VolumeName, path: StorePath, kind: VolumeKind)] = []
        for volume in volumes.sorted() {
            guard let found = try layout.findLive(volume, io: io) else {
                throw DRError(
                    .volumeMissing, "volume \(volume) of \(application) is not in \(layout.volumes)",
                    hint: "a volume is a folder NAME/ or a file NAME.img under volumes/")
            }
            live.append((volume, found.path, found.kind))
        }
        // Nothing here outlives the machine: a capture that was lost is made again.
        let folder = layout.captures(of: key)
        try io.removeTree(folder)
        do { return try await capture(live, stopped: stopped, in: folder) } catch let error as IOFailure {
            // A full disk should not stay full of what nobody can use; what cannot be removed goes with the next try.
            try? io.removeTree(folder)
            throw error
        }
    }

    private func capture(
        _ live: [(name: VolumeName, path: StorePath, kind: VolumeKind)], stopped: Bool, in folder: StorePath
    ) async throws -> Capture {
        try io.makePlainFolders(folder / attempt, below: layout.cluster)
        var tries = 0
        while true {
            tries += 1
            let began = try await stopped ? filesystemTime(in: folder) : quietMoment(live, in: folder)
            let instant = clock.now()
            failpoint("capture.began")
            var first = SetDigest()
            var files = 0
            var allCloned = true
            for (name, path, kind) in live {
                let scan = try describe(name, path, kind, began: began, stopped: stopped, &first)
                files += scan.files
                allCloned = allCloned && scan.allCloned
                failpoint("capture.volume")
            }
            if stopped { return capture(live.map(\.name), .application, instant) }
            // FICLONE takes one file at one instant.
            if files == 1, allCloned, !first.sawChange { return capture(live.map(\.name), .crash, instant) }
            var second = SetDigest()
            for (name, path, _) in live { try second.add(name, at: path, io: io, workers: workers) }
            if first.isSame(as: second), (first.newest ?? began - Self.margin) <= began - Self.margin {
                return capture(live.map(\.name), .crash, instant)
            }
            let took = try filesystemTime(in: folder) - began
            if tries == Self.attempts || (tries > 1 && took > .seconds(5)) { return capture(live.map(\.name), .fuzzy, instant) }
            try await clock.sleep(for: Self.quietStep)
        }
    }

    private func describe(
        _ volume: VolumeName, _ live: StorePath, _ kind: VolumeKind, began: Instant, stopped: Bool, _ digest: inout SetDigest
    ) throws -> CaptureScan {
        let place = layout.captured(volume, key: key, attempt: attempt)
        while true {
            try io.removeTree(place)
            try io.makeFolder(place, permissions: 0o700)
            let cache = try cache(of: volume, kind, at: live, in: place)
            var described = digest
            var scan = CaptureScan(
                volume: volume, live: live, kind: kind, place: place, began: began, copies: !stopped, io: io, workers: workers,
                cache: cache,
                base: cache.map { layout.base(volume, $0.header.recordHash) })
            do {
                try scan.run(&described)
                digest = described
                return scan
            } catch is Malformed where cache != nil {
                // A damaged cache costs a full read.
                try io.removeTree(ScanCache.path(volume, in: layout.cluster))
            }
        }
    }

    /// The scan cache under a name of the capture's own, so that it stays the one that the catalogue speaks of.
    private func cache(of volume: VolumeName, _ kind: VolumeKind, at live: StorePath, in place: StorePath) throws -> ScanCache? {
        let path = ScanCache.path(volume, in: layout.cluster)
        guard let cache = try ScanCache.open(path, of: application, io: io), cache.header.kind == kind,
            cache.header.mount == io.mountIdentity(live), !cache.isDue(clock.now())
        else { return nil }
        do { try io.makeHardLink(place / "scan", to: path) } catch is IOFailure { return nil }
        return try ScanCache.open(place / "scan", of: application, io: io)
    }

    private func capture(_ volumes: [VolumeName], _ consistency: Consistency, _ instant: Instant) -> Capture {
        Capture(application: application, key: key, instant: instant, consistency: consistency, volumes: volumes, attempt: attempt)
    }

    /// Waits, within bounds, until the last change of the set lies far enough back, and says when that was seen.
    private func quietMoment(_ live: [(name: VolumeName, path: StorePath, kind: VolumeKind)], in folder: StorePath) async throws -> Instant
    {
        var now = try filesystemTime(in: folder)
        for _ in 0..<Self.quietProbes {
            var newest: Instant?
            for (name, path, _) in live {
                var walk = TreeWalk(name, at: path, io: io, workers: workers)
                while let entry = try walk.next() {
                    newest = max(newest ?? entry.facts.changed, entry.facts.changed)
                    if entry.facts.kind == .file, entry.facts.changed > now - Self.writebackAge { try flush(walk.place(entry.path)) }
                }
            }
            guard let newest, newest > now - Self.margin else { return now }
            try await clock.sleep(for: Self.quietStep)
            now = try filesystemTime(in: folder)
        }
        return now
    }

    private func flush(_ path: StorePath) throws {
        do {
            let file = try io.open(path, .read, permissions: 0)
            try file.sync()
            try file.close()
        } catch let error as IOFailure where error.isMissing { return }
    }

    /// What the filesystem would stamp a file with now: comparable with the files' own times, whatever the host's clock says.
    private func filesystemTime(in folder: StorePath) throws -> Instant {
        let probe = folder / ".now"
        if try io.facts(probe) != nil { try io.removeFile(probe) }
        let file = try io.open(probe, .create, permissions: 0o600)
        let facts = try file.facts()
        try file.close()
        try io.removeFile(probe)
        return facts.changed
    }
}

/// One number for the names, marks and metadata of a set of volumes: equal at two moments means that nothing in it changed in between.
struct SetDigest {
    private var hasher = SHA256()
    private(set) var newest: Instant?
    var sawChange = false

    mutating func add(_ entry: TreeWalk.Entry) {
        var writer = ByteWriter()
        writer.put(counted: entry.path)
        writer.put(entry.facts.mode)
        writer.put(entry.facts.owner)
        writer.put(entry.facts.group)
        writer.put(entry.facts.links)
        FileIdentity(entry.facts).write(to: &writer)
        unsafe writer.bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
        newest = max(newest ?? entry.facts.changed, entry.facts.changed)
    }

    mutating func add(_ volume: VolumeName, at path: StorePath, io: any StoreIO, workers: Workers) throws {
        var walk = TreeWalk(volume, at: path, io: io, workers: workers)
        while let entry = try walk.next() { add(entry) }
        if walk.sawChange { sawChange = true }
    }

    func isSame(as other: SetDigest) -> Bool {
        if let hash { hash == other.hash } else { false }
    }

    /// Nil when something was seen to change.
    var hash: ContentHash? { sawChange ? nil : ContentHash(hasher.finalize()) }
}
