internal import DRModel
internal import DRSupport

/// The heads of one application at one cluster. Every touch of them happens with their lock held.
struct Heads {
    let copy: OwnCopy
    let cluster: StorePath
    let io: any StoreIO
    let clock: any WallClock
    let workers: Workers

    private var root: StorePath { Self.root(copy.names.application, in: cluster) }

    static func root(_ application: ApplicationName, in cluster: StorePath) -> StorePath {
        cluster / ".dr" / "heads" / application.text
    }

    private func head(_ volume: VolumeName) -> Head { Head(name: volume, folder: root / volume.text, io: io) }

    /// Nil when somebody else is at work on them.
    private func lock() throws -> (any StoreLock)? { try io.lock(root / ".lock", wait: false) }

    private func locked<Result>(_ body: () async throws -> Result) async throws -> Result {
        try io.makeFolders(root, below: cluster)
        guard let lock = try lock() else {
            throw DRError(
                .locked, "another process is at work on the volumes of \(copy.names.application) that stand by below \(root)",
                hint: "wait until it is done")
        }
        defer { lock.release() }
        return try await body()
    }

    private func names() throws -> [VolumeName] {
        guard try io.facts(root)?.kind == .folder else { return [] }
        return try io.list(root).compactMap { try? VolumeName(String(decoding: $0, as: UTF8.self)) }
    }

    /// There is one.
    func stand() throws -> Bool { try !names().isEmpty }

    // MARK: Standing by

    /// Makes a head of each volume of the point, and removes all others.
    func standBy(_ record: PointRecord) async throws {
        try await locked {
            for name in try names() where !record.volumes.contains(where: { $0.volume.name == name }) { try head(name).remove() }
            var failure: (any Error)?
            for volume in record.volumes {
                let head = head(volume.volume.name)
                do { try await bring(head, to: volume) } catch
                    where error is IOFailure || error is DamagedCopy || error is DRError || error is CannotRoll
                {
                    // A full disk should not stay full of what nobody can use, and what failed once is not believed. The others may stand by.
                    try? head.remove()
                    failure = failure ?? (error is CannotRoll ? IOFailure.notAsWritten(head.content) : error)
                }
                failpoint("head.stands-by")
            }
            if let failure { throw failure }
        }
    }

    /// Once more without them, where they take the room.
    func makingRoom<Result>(_ body: () async throws -> Result) async throws -> Result {
        do { return try await body() } catch {
            let isFull = (error as? IOFailure)?.isFull ?? ((error as? DRError)?.code == .noSpace)
            // Where nothing stands by, or somebody is at work on it, it remains what it is.
            guard isFull, (try? names())?.isEmpty == false, (try? await standDown()) != nil else { throw error }
            return try await body()
        }
    }

    /// Removes them all.
    func standDown() async throws {
        guard try io.facts(root)?.kind == .folder else { return }
        try await locked { for name in try names() { try head(name).remove() } }
    }

    /// Bytes on disk. Without the lock: somebody may be at work on them, and then it is none.
    func size() -> ByteCount { (try? measured()) ?? .zero }

    private func measured() throws -> ByteCount {
        var allocated: Int64 = 0
        for name in try names() where try io.facts(head(name).content) != nil {
            var walk = TreeWalk(name, at: head(name).content, io: io, workers: workers)
            // A file with several names is counted in parts.
            while let entry = try walk.next() {
                if entry.facts.kind == .file { allocated += entry.facts.allocated / Int64(max(1, entry.facts.links)) }
            }
        }
        return ByteCount(allocated)
    }

    /// Reads those behind the one named `after`, until about `most` bytes were read; `next` of the answer is the last one when others are left. One that is
    /// mended or cannot be keeps no other from being read.
    func scrub(after: String = "", most: ByteCount) async throws -> Scrubbed {
        var scrubbed = Scrubbed()
        guard try io.facts(root)?.kind == .folder else { return scrubbed }
        // Else what nobody read would count as read for a week.
        guard let lock = try lock() else {
            throw DRError(
                .locked, "the volumes that stand by for an application here are being written", hint: "they are read another time")
        }
        defer { lock.release() }
        let names = try names().filter { after < $0.text }.sorted()
        for name in names {
            try Task.checkCancellation()
            try await scrub(name, &scrubbed)
            if scrubbed.bytes >= most.bytes, name != names.last {
                scrubbed.next = name.text
                break
            }
        }
        return scrubbed
    }

    private func scrub(_ name: VolumeName, _ scrubbed: inout Scrubbed) async throws {
        let head = head(name)
        do {
            guard case .clean(let clean)? = try head.note() else { return }
            scrubbed.objects += 1
            scrubbed.bytes += clean.volume.volume.size.bytes
            if try await roll(head, to: clean.volume, believing: nil) { scrubbed.healed.append("volume \(name) that stands by") }
        } catch let error as CancellationError {
            throw error
        } catch {
            do {
                try head.remove()
                scrubbed.removed.append("volume \(name) that stood by")
            } catch { scrubbed.lost.append("volume \(name) that stands by cannot be read or removed: \(error)") }
        }
    }

    // MARK: Changing one

    /// What the head holds, when nobody can have changed it since its note was written and every byte was read within the window.
    private func believed(_ head: Head) throws -> HeadNote.Clean? {
        guard case .clean(let clean)? = try head.note(), clean.mount == io.mountIdentity(head.folder),
            try head.facts(workers)?.hash == clean.facts, !isDue(clean)
        else { return nil }
        return clean
    }

    private func isDue(_ clean: HeadNote.Clean) -> Bool {
        clock.now() < clean.verified || clock.now() - clean.verified > Verified.window
    }

    private func bring(_ head: Head, to volume: PointRecord.Volume) async throws {
        try io.makeFolders(head.folder, below: cluster)
        do { try await change(head, to: volume) } catch is CannotRoll { try await build(head, volume) } catch let error as DRError
            where error.code == .volumeUnsupported
        {
            // Somebody put there what no volume holds.
            try await build(head, volume)
        }
    }

    private func change(_ head: Head, to volume: PointRecord.Volume) async throws {
        guard try io.facts(head.content) != nil else { throw CannotRoll() }
        let before = try believed(head)
        if var clean = before, clean.volume.volume.content == volume.volume.content {
            guard clean.volume != volume else { return }
            // The same bytes, stored elsewhere.
            clean.volume = volume
            return try head.write(.clean(clean))
        }
        do { _ = try await roll(head, to: volume, believing: before) } catch is DamagedCopy where before != nil {
            // The map that it was made by is gone: what it holds is read.
            _ = try await roll(head, to: volume, believing: nil)
        }
    }

    private func build(_ head: Head, _ volume: PointRecord.Volume) async throws {
        try head.write(.applying)
        try io.removeTree(head.content)
        // It must not take the room that the next copy needs.
        let needed = ByteCount(volume.volume.size.bytes / 4 * 5)
        if let free = try io.freeSpace(cluster), free.bytes < needed.bytes {
            throw IOFailure.noRoom(head.content, "\(free) is free, and it takes \(needed) with a quarter to spare")
        }
        let reader = PointReader(copy, workers: workers)
        try copy.doubting { try Materialisation.build(volume, at: head.content, from: reader, io: io) }
        failpoint("head.written")
        try io.syncFilesystem(head.folder)
        guard let made = try head.facts(workers) else { throw IOFailure.notAsWritten(head.content) }
        // A change in the same tick of the filesystem's clock would not show.
        try await clock.sleep(for: ScanCache.granularity(of: made.newest))
        // Read as it stands: what somebody wrote into it while it was made is found and mended, what is written from here on shows.
        _ = try await roll(head, to: volume, believing: nil)
    }

    /// True when something had to be written.
    private func roll(_ head: Head, to volume: PointRecord.Volume, believing clean: HeadNote.Clean?) async throws -> Bool {
        let (mark, now) = (try HeadMark(head), clock.now())
        // Before the first change: one with a name elsewhere must not be written.
        guard let facts = try head.facts(workers) else { throw CannotRoll() }
        let clean = clean?.facts == facts.hash ? clean : nil
        let reader = PointReader(copy, workers: workers)
        try copy.doubting { try HeadRoll.roll(head, to: volume, believing: clean?.volume, from: reader, mark) }
        guard mark.isBegun else {
            // As it was before it was read: what somebody changed meanwhile shows.
            try note(head, volume, verified: clean?.verified ?? now, facts.hash)
            return false
        }
        // Somebody else was at it meanwhile.
        guard try await settle(head, volume, verified: clean?.verified ?? now, since: mark) else { throw CannotRoll() }
        return true
    }

    /// False, and nothing is noted, when it is not still, or `roll` did not make all of the changes.
    private func settle(_ head: Head, _ volume: PointRecord.Volume, verified: Instant, since roll: HeadMark) async throws -> Bool {
        failpoint("head.written")
        try io.syncFilesystem(head.folder)
        guard let found = try head.facts(workers, since: roll), found.isOurs else { return false }
        // A change in the same tick of the filesystem's clock would not show.
        try await clock.sleep(for: ScanCache.granularity(of: found.newest))
        guard let facts = try head.facts(workers), facts.hash == found.hash else { return false }
        try note(head, volume, verified: verified, facts.hash)
        failpoint("head.clean")
        return true
    }

    private func note(_ head: Head, _ volume: PointRecord.Volume, verified: Instant, _ facts: ContentHash) throws {
        // Where the system does not tell, nothing is believed later: a mount is never called so.
        let mount = io.mountIdentity(head.folder) ?? ""
        try head.write(.clean(HeadNote.Clean(volume: volume, verified: verified, mount: mount, facts: facts)))
    }

    // MARK: Giving one away

    /// Puts the volume at `place`, which must not exist, when that takes no writing of its bytes; its name is not durable yet. The answer says when every
    /// byte was last read; nil: there is no head for it, and nothing is at `place`.
    ///
    /// An image is cloned where the filesystem can; what cannot be is taken out of the heads. `keeps`: the heads stay as they are, or nothing is done.
    ///
    /// No error leaves it: whatever it was, the point itself is still there, and tells what is wrong with it. Then something may be left at `place`.
    func give(_ volume: PointRecord.Volume, to place: StorePath, keeps: Bool) async -> Instant? {
        let head = head(volume.volume.name)
        do {
            guard try io.facts(head.content) != nil, let lock = try lock() else { return nil }
            defer { lock.release() }
            if keeps {
                guard let clean = try believed(head), clean.volume.volume.content == volume.volume.content,
                    try HeadClone.make(head, at: place, io: io, workers: workers)
                else { return nil }
                return clean.verified
            }
            do { return try await take(head, volume, to: place) } catch {
                // A disk that fails may not let it go either; its note says what it can be believed.
                try? head.remove()
                throw error
            }
        } catch {
            try? io.removeTree(place)
            return nil
        }
    }

    private func take(_ head: Head, _ volume: PointRecord.Volume, to place: StorePath) async throws -> Instant? {
        try await bring(head, to: volume)
        guard case .clean(let clean)? = try head.note() else { return nil }
        failpoint("head.ready")
        if volume.volume.kind == .block, try HeadClone.make(head, at: place, io: io, workers: workers) { return clean.verified }
        try io.rename(head.content, place, .keep)
        try io.syncFolder(head.folder)
        failpoint("head.taken")
        // A note without a volume says nothing.
        try? head.remove()
        return clean.verified
    }
}
