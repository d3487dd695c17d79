public import DRModel
internal import DRSupport

/// An application's lock that this process holds for as long as it lives.
struct HeldLock: Sendable {
    let holder: LockHolder
    let since: Instant
    let kernel: any StoreLock
}

/// Who holds an application's lock, as others read it. That the holder lives is said by the kernel's lock beside it, not by this file.
struct LockNote: Sendable, Codable {
    var application: ApplicationName
    var holder: LockHolder
    var since: Instant
}

extension DirectoryCluster {
    public func lock(_ application: ApplicationName, for holder: LockHolder) async throws {
        // A run begins with its locks, so what a dead one left half done ends here.
        try await alone { try folder.makeFolder(folder.locks) }
        if let mine = held.withLock({ $0[application] }) {
            guard mine.holder.run == holder.run else {
                throw locked(LockNote(application: application, holder: mine.holder, since: mine.since))
            }
            // Somebody may have broken it while this process was paused.
            guard try folder.reach({ try note(application) })?.holder.run == mine.holder.run else {
                held.withLock { $0[application] = nil }
                mine.kernel.release()
                throw DRError(
                    .locked, "the lock of \(application) at \(name) was taken from run \(holder.run) by somebody else",
                    hint: "look at `drrunbook status` and `drrunbook lock list`, and begin anew")
            }
            try folder.reach { try beginLease(holder.run) }
            if mine.holder == holder { return }
            try write(LockNote(application: application, holder: holder, since: mine.since))
            held.withLock { $0[application] = HeldLock(holder: holder, since: mine.since, kernel: mine.kernel) }
            return
        }
        // Somebody who only asks whether the holder lives takes the kernel's lock for a moment, so a first refusal is not believed.
        for attempt in 0..<10 {
            if let kernel = try folder.reach({ try folder.io.lock(kernelLock(application), wait: false) }) {
                return try take(application, for: holder, kernel)
            }
            if attempt < 9 { try await clock.sleep(for: .milliseconds(20)) }
        }
        if try await endOverdue(application), let kernel = try folder.reach({ try folder.io.lock(kernelLock(application), wait: false) }) {
            return try take(application, for: holder, kernel)
        }
        guard let note = try folder.reach({ try note(application) }) else {
            throw DRError(.locked, "\(application) is being locked at \(name) by another process", hint: "try again in a moment")
        }
        throw locked(note)
    }

    private func take(_ application: ApplicationName, for holder: LockHolder, _ kernel: any StoreLock) throws {
        do {
            // Its process is gone, but it was put down on purpose: it is to be taken up again.
            if let found = try folder.reach({ try note(application) }), found.holder.run != holder.run,
                let kept = try folder.reach({ try lease(found.holder.run) }), kept.parked, !kept.isOver(at: clock.now())
            {
                throw locked(found, parkedUntil: kept.expires)
            }
            let mine = LockNote(application: application, holder: holder, since: clock.now())
            try folder.reach { try beginLease(holder.run) }
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
            guard let found = try note(application), let left = try lease(found.holder.run), left.isOver(at: clock.now()) else {
                return false
            }
            try folder.remove(kernelLock(application))
            try folder.remove(notePath(application))
            return true
        }
    }

    public func unlock(run: RunID) async throws {
        try await alone {
            for note in try notes() where note.holder.run == run {
                let mine = held.withLock { $0[note.application] }
                // A lock of this run that another process holds is that process's to release.
                guard let kernel = try mine?.kernel ?? folder.io.lock(kernelLock(note.application), wait: false) else { continue }
                if let mine, mine.holder.run != run { continue }
                try folder.remove(notePath(note.application))
                held.withLock { $0[note.application] = nil }
                kernel.release()
            }
            if try !notes().contains(where: { $0.holder.run == run }) { try folder.remove(leasePath(run)) }
            // Whose note somebody has removed by hand.
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
            try folder.remove(kernelLock(application))
            try folder.remove(notePath(application))
            return isNoted
        }
    }

    public func locks() async throws -> [ApplicationLock] {
        try folder.reach {
            let now = clock.now()
            return try notes().map { note in
                let (alive, lease) = (try isAlive(note.application), try lease(note.holder.run))
                let counts = lease.map { !$0.isOver(at: now) && ($0.parked || alive) } ?? alive
                return ApplicationLock(
                    application: note.application, holder: note.holder, since: note.since, alive: alive, expires: lease?.expires,
                    counts: counts)
            }
        }
    }

    // MARK: Files

    private func notePath(_ application: ApplicationName) -> StorePath { folder.locks / "\(application).json" }
    private func kernelLock(_ application: ApplicationName) -> StorePath { folder.locks / "\(application).lock" }

    private func isAlive(_ application: ApplicationName) throws -> Bool {
        if held.withLock({ $0[application] != nil }) { return true }
        guard try folder.io.facts(kernelLock(application)) != nil else { return false }
        guard let probe = try folder.io.lock(kernelLock(application), wait: false) else { return true }
        probe.release()
        return false
    }

    func note(_ application: ApplicationName) throws -> LockNote? {
        guard let text = try folder.text(notePath(application)) else { return nil }
        guard let note = try? Value(json: text).decoded(as: LockNote.self) else {
            throw DRError(
                .damaged, "\(notePath(application)) is damaged", hint: "if no drrunbook process works on \(application), remove the file")
        }
        return note
    }

    func notes() throws -> [LockNote] {
        let names = try folder.names(in: folder.locks).filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }
        return try names.compactMap { name in
            guard let application = try? ApplicationName(String(name.dropLast(5))) else { return nil }
            return try note(application)
        }
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
