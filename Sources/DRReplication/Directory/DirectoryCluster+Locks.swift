public import DRModel
internal import DRSupport

/// An application's lock that this process holds for as long as it lives.
struct HeldLock: Sendable {
    let holder: LockHolder
    let since: Instant
    let kernel: any StoreLock

    func note(of application: ApplicationName) -> LockNote { LockNote(application: application, holder: holder, since: since) }
}

/// Who holds an application's lock, as others read it. That the holder lives is said by the kernel's lock beside it, not by this file.
///
/// A process holds the lock as long as exactly what it wrote stands there: whoever takes the lock, for whichever run, writes another note.
struct LockNote: Sendable, Codable, Equatable {
    var application: ApplicationName
    var holder: LockHolder
    var since: Instant
}

extension DirectoryCluster {
    public func lock(_ application: ApplicationName, for holder: LockHolder) async throws {
        // A run begins with its locks, so what a dead one left half done ends here.
        let isHeld = try await alone {
            try folder.makeFolder(folder.locks)
            return try isHeldAlready(application, for: holder)
        }
        if isHeld { return }
        // Somebody who only asks whether the holder lives takes the kernel's lock for a moment, so a first refusal is not believed.
        for attempt in 0..<10 {
            if let kernel = try kernelLock(of: application) { return try take(application, for: holder, kernel) }
            if attempt < 9 { try await clock.sleep(for: .milliseconds(20)) }
        }
        if let claim = try await claim(application, for: holder) { return try await takeOver(claim) }
        if try await endOverdue(application), let kernel = try kernelLock(of: application) {
            return try take(application, for: holder, kernel)
        }
        guard let note = try folder.reach({ try note(application) }) else {
            throw DRError(.locked, "\(application) is being locked at \(name) by another process", hint: "try again in a moment")
        }
        throw locked(note)
    }

    /// Nil while somebody else holds it.
    private func kernelLock(of application: ApplicationName) throws -> (any StoreLock)? {
        try folder.reach { try folder.io.lock(kernelPath(application), wait: false) }
    }

    // Under the cluster's commit lock.
    private func isHeldAlready(_ application: ApplicationName, for holder: LockHolder) throws -> Bool {
        guard let mine = held.withLock({ $0[application] }) else { return false }
        // Also where it was taken from that run since: it has not heard of it, and is refused by this entry alone.
        guard mine.holder.run == holder.run else {
            throw locked(LockNote(application: application, holder: mine.holder, since: mine.since))
        }
        let found = try note(application)
        // Somebody may have taken it while this process was paused. It stays noted as ours: what is still under way here is refused by that.
        guard found == mine.note(of: application) else {
            mine.kernel.release()
            throw lost(application, mine.holder, to: found)
        }
        try beginLease(holder)
        guard mine.holder != holder else { return true }
        let renewed = HeldLock(holder: holder, since: mine.since, kernel: mine.kernel)
        try write(renewed.note(of: application))
        held.withLock { $0[application] = renewed }
        return true
    }

    // MARK: A run that was taken over

    /// The lock is the run's, not its process's: where another process of the same run holds it, that one is refused from here on, at any commit. Nil: it is another run's. Throws
    /// `fenced` where that one took the run up later than this one.
    private func claim(_ application: ApplicationName, for holder: LockHolder) async throws -> (note: LockNote, until: Instant)? {
        try await alone {
            guard let found = try note(application), found.holder.run == holder.run else { return nil }
            guard found.holder.turn <= holder.turn else { throw lost(application, holder, to: found) }
            let now = clock.now()
            let claim = LockNote(application: application, holder: holder, since: now)
            // A renewal of its is not waited for: it renews what is its own. Nor is a clock that is wrong.
            let until = min(try lease(found.holder)?.expires ?? now, now + LockLease.length)
            try write(claim)
            return (claim, until)
        }
    }

    /// Whoever held it ends at its next commit, and the kernel's lock with it. One that sleeps or hangs is waited for until its lease is over.
    private func takeOver(_ claim: (note: LockNote, until: Instant)) async throws {
        let application = claim.note.application
        let pause = Duration.milliseconds(50)
        // The clock may be set back meanwhile.
        for _ in 0...Int(LockLease.length / pause) where clock.now() < claim.until {
            try await clock.sleep(for: pause)
            try folder.reach { try requireUnclaimed(claim.note) }
            if let kernel = try kernelLock(of: application) { return try await take(claim.note, kernel) }
        }
        try await alone {
            try requireUnclaimed(claim.note)
            try folder.remove(kernelPath(application))
        }
        guard let kernel = try kernelLock(of: application) else {
            throw DRError(.locked, "\(application) is being locked at \(name) by another process", hint: "try again in a moment")
        }
        try await take(claim.note, kernel)
    }

    private func take(_ claim: LockNote, _ kernel: any StoreLock) async throws {
        do {
            try await alone {
                try requireUnclaimed(claim)
                try beginLease(claim.holder)
                held.withLock { $0[claim.application] = HeldLock(holder: claim.holder, since: claim.since, kernel: kernel) }
            }
        } catch {
            kernel.release()
            throw error
        }
    }

    private func requireUnclaimed(_ claim: LockNote) throws {
        let found = try note(claim.application)
        guard found == claim else { throw lost(claim.application, claim.holder, to: found) }
    }

    func lost(_ application: ApplicationName, _ holder: LockHolder, to other: LockNote?) -> DRError {
        if let other, other.holder.run == holder.run {
            return DRError(
                .fenced, "run \(holder.run) was taken over by \(other.holder.host), which holds the lock of \(application) at \(name)",
                hint: "it is carried on there; nothing more is done here")
        }
        return DRError(
            .locked, "the lock of \(application) at \(name) was taken from run \(holder.run) by somebody else",
            hint: "look at `drrunbook status` and `drrunbook lock list`, and begin anew")
    }

    private func take(_ application: ApplicationName, for holder: LockHolder, _ kernel: any StoreLock) throws {
        do {
            // Its process is gone, but it was put down on purpose: it is to be taken up again.
            if let found = try folder.reach({ try note(application) }), found.holder.run != holder.run,
                let kept = try folder.reach({ try lease(found.holder) }), kept.parked, !kept.isOver(at: clock.now())
            {
                throw locked(found, parkedUntil: kept.expires)
            }
            let mine = LockNote(application: application, holder: holder, since: clock.now())
            try folder.reach { try beginLease(holder) }
            try write(mine)
            held.withLock { $0[application] = HeldLock(holder: holder, since: mine.since, kernel: kernel) }
        } catch {
            kernel.release()
            throw error
        }
    }

    /// Takes the lock from a holder that lives but has not renewed its lease in time: it is paused, or it hangs. It is refused at its next commit.
    private func endOverdue(_ application: ApplicationName) async throws -> Bool {
        try await alone {
            guard let found = try note(application), let left = try lease(found.holder), left.isOver(at: clock.now()) else {
                return false
            }
            try folder.remove(kernelPath(application))
            try folder.remove(notePath(application))
            return true
        }
    }

    public func unlock(run: RunID) async throws {
        try await alone {
            for note in try notes().sound where note.holder.run == run {
                let mine = held.withLock { $0[note.application] }
                // A lock of this run that another process holds, or has taken over, is that process's to release.
                if let mine, mine.note(of: note.application) != note { continue }
                guard let kernel = try mine?.kernel ?? folder.io.lock(kernelPath(note.application), wait: false) else { continue }
                try folder.remove(notePath(note.application))
                held.withLock { $0[note.application] = nil }
                kernel.release()
            }
            try removeLeases(of: run)
            // Whose note somebody has removed by hand, or written anew.
            let left = held.withLock { held in held.filter { $0.value.holder.run == run } }
            for (application, lock) in left {
                held.withLock { $0[application] = nil }
                lock.kernel.release()
            }
            endHeartbeat()
        }
    }

    /// The kernel's lock stays with the old holder, on a file that no longer has a name: whoever comes next makes a new one.
    public func breakLock(_ application: ApplicationName) async throws -> Bool {
        try await alone {
            let isNoted = try folder.io.facts(notePath(application)) != nil
            try folder.remove(kernelPath(application))
            try folder.remove(notePath(application))
            return isNoted
        }
    }

    public func locks() async throws -> [ApplicationLock] {
        try folder.reach {
            let notes = try notes()
            if let first = notes.damaged.first { throw first.error }
            return try notes.sound.map(lock)
        }
    }

    public func locks(of applications: Set<ApplicationName>) async throws -> [ApplicationLock] {
        try folder.reach { try applications.sorted().compactMap(note).map(lock) }
    }

    /// Every note by itself: a damaged one says nothing about the locks of other applications.
    func readLocks() throws -> (sound: [ApplicationLock], damaged: [(application: ApplicationName, error: DRError)]) {
        try folder.reach {
            let notes = try notes()
            return (try notes.sound.map(lock), notes.damaged)
        }
    }

    private func lock(_ note: LockNote) throws -> ApplicationLock {
        let (alive, lease) = (try isAlive(note.application), try lease(note.holder))
        let counts = lease.map { !$0.isOver(at: clock.now()) && ($0.parked || alive) } ?? alive
        return ApplicationLock(
            application: note.application, holder: note.holder, since: note.since, alive: alive, expires: lease?.expires, counts: counts)
    }

    // MARK: Files

    private func notePath(_ application: ApplicationName) -> StorePath { folder.locks / "\(application).json" }
    private func kernelPath(_ application: ApplicationName) -> StorePath { folder.locks / "\(application).lock" }

    private func isAlive(_ application: ApplicationName) throws -> Bool {
        if let mine = held.withLock({ $0[application] }), try note(application) == mine.note(of: application) { return true }
        guard try folder.io.facts(kernelPath(application)) != nil else { return false }
        guard let probe = try folder.io.lock(kernelPath(application), wait: false) else { return true }
        probe.release()
        return false
    }

    func note(_ application: ApplicationName) throws -> LockNote? {
        guard let text = try folder.text(notePath(application)) else { return nil }
        guard let note = try? Value(json: text).decoded(as: LockNote.self) else {
            throw DRError(
                .damaged, "\(notePath(application)) is damaged: nobody can tell who holds \(application)",
                hint: "if no drrunbook process works on it: drrunbook lock break \(application) --yes")
        }
        return note
    }

    func notes() throws -> (sound: [LockNote], damaged: [(application: ApplicationName, error: DRError)]) {
        var sound: [LockNote] = []
        var damaged: [(application: ApplicationName, error: DRError)] = []
        for name in try folder.names(in: folder.locks) where name.hasSuffix(".json") && !name.hasPrefix(".") {
            guard let application = try? ApplicationName(String(name.dropLast(5))) else { continue }
            do { if let note = try note(application) { sound.append(note) } } catch let error as DRError where error.isOfOneRecord {
                damaged.append((application, error))
            }
        }
        return (sound, damaged)
    }

    private func write(_ note: LockNote) throws {
        try folder.reach { try folder.replace(notePath(note.application), with: Array((try Value(encoding: note).json() + "\n").utf8)) }
    }

    private func locked(_ note: LockNote, parkedUntil: Instant? = nil) -> DRError {
        let holder = note.holder
        let until = parkedUntil.map { ", which was put down and keeps it until \($0)" } ?? ""
        return DRError(
            .locked,
            "\(note.application) is locked at \(name) by run \(holder.run) of \(holder.runbook) on \(holder.host), "
                + "process \(holder.process), since \(note.since)\(until)",
            hint: parkedUntil == nil
                ? "wait until it ends or stop it with `drrunbook stop \(holder.run)`; the lock goes with its process"
                : "take it up with `drrunbook resume \(holder.run)`, or `drrunbook lock break \(note.application)`",
            details: [
                "application": .string(note.application.text), "run": .string(holder.run.text), "runbook": .string(holder.runbook),
                "host": .string(holder.host), "process": .integer(Int64(holder.process)), "since": .instant(note.since),
            ])
    }
}
