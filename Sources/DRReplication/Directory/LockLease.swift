public import DRModel
internal import DRSupport

/// Until when the locks that a run took up in one turn count at one cluster, as long as nobody renews them: `.dr/locks/RUN.lease`, and `RUN_TURN.lease` once it was taken up again:
/// no name holds `_`, so whose it is can be told of runs with dots, too.
///
/// The kernel's lock tells a holder that lives from one that died; the lease tells one that works from one that hangs or is paused, and it keeps the locks of a
/// run that was put down on purpose, whose process is gone.
package struct LockLease: Sendable, Codable, Equatable {
    /// How long the locks of a run outlive its last sign of life.
    package static let length: Duration = .seconds(60)
    /// How long those of a run that was put down wait for it to be taken up again.
    static let parked: Duration = .seconds(900)
    /// Renewed so often that a few missed ones do not matter.
    static let pause: Duration = .seconds(10)

    var expires: Instant
    var parked: Bool

    func isOver(at now: Instant) -> Bool { expires <= now }
}

extension DirectoryCluster {
    private func leasePath(_ holder: LockHolder) -> StorePath {
        folder.locks / (holder.turn == 0 ? "\(holder.run).lease" : "\(holder.run)_\(holder.turn).lease")
    }

    /// Nil: there is none, or none that can be read. Then the kernel's lock alone counts.
    func lease(_ holder: LockHolder) throws -> LockLease? {
        guard let text = try folder.text(leasePath(holder)) else { return nil }
        return try? Value(json: text).decoded(as: LockLease.self)
    }

    private func write(_ lease: LockLease, for holder: LockHolder) throws {
        try folder.replace(leasePath(holder), with: Array((try Value(encoding: lease).json() + "\n").utf8))
    }

    /// Those of turns that hold nothing here any more.
    func removeLeases(of run: RunID) throws {
        let notes = try notes()
        // Whose note cannot be read may need its lease. The next release of the run removes what is left.
        guard notes.damaged.isEmpty else { return }
        let needed = Set(notes.sound.map { leasePath($0.holder) })
        for name in try folder.names(in: folder.locks)
        where name.hasSuffix(".lease") && (name.hasPrefix("\(run)_") || name == "\(run).lease") {
            let path = folder.locks / name
            if !needed.contains(path) { try folder.remove(path) }
        }
    }

    /// A sign of life of the run, and from now on one every few seconds for as long as this process holds a lock here.
    func beginLease(_ holder: LockHolder) throws {
        let now = clock.now()
        let present = try lease(holder)
        if present?.parked != false || (present?.expires ?? now) < now + LockLease.length - LockLease.pause {
            try write(LockLease(expires: now + LockLease.length, parked: false), for: holder)
        }
        heartbeat.withLock { beat in
            guard renewsLeases, beat == nil else { return }
            beat = Heartbeat(name: "leases-\(name)", every: LockLease.pause) { [weak self] in self?.renewLeases() ?? true }
        }
    }

    /// False: it could not be done now. A run renews what is still its own; what was taken from it meanwhile stays with whoever took it.
    package func renewLeases() -> Bool {
        let holders = held.withLock { held in
            Dictionary(grouping: held, by: \.value.holder).mapValues { $0.map { $0.value.note(of: $0.key) } }
        }
        // A cluster that does not answer, or a disk that is full, ends the lease; the next commit says what is wrong.
        return (try? renew(holders)) ?? true
    }

    // One that cannot be read is nobody's, and the others' go on.
    private func stands(_ mine: LockNote) throws -> Bool {
        do { return try note(mine.application) == mine } catch let error as DRError where error.isOfOneRecord { return false }
    }

    private func renew(_ holders: [LockHolder: [LockNote]]) throws -> Bool {
        guard !holders.isEmpty else { return true }
        guard let lock = try folder.io.lock(folder.commitLock, wait: false) else { return false }
        defer { lock.release() }
        for (holder, mine) in holders {
            guard try mine.contains(where: stands) else { continue }
            try write(LockLease(expires: clock.now() + LockLease.length, parked: false), for: holder)
        }
        return true
    }

    /// Lets the locks of the run stand though its process goes, for a person who takes it up again.
    public func park(run: RunID, until: Instant?) async throws {
        try await alone {
            let mine = held.withLock { held in
                let mine = held.filter { $0.value.holder.run == run }
                held = held.filter { $0.value.holder.run != run }
                return mine
            }
            // What another process of the run has taken over is not ours to put down.
            let own = try mine.filter { try stands($0.value.note(of: $0.key)) }.map(\.value.holder)
            let before = try notes().sound.map(\.holder).filter { try $0.run == run && lease($0)?.parked == true }
            let least = clock.now() + LockLease.parked
            for holder in Set(own + before) { try write(LockLease(expires: max(until ?? least, least), parked: true), for: holder) }
            for lock in mine.values { lock.kernel.release() }
            endHeartbeat()
        }
    }

    func endHeartbeat() {
        guard held.withLock({ $0.isEmpty }) else { return }
        heartbeat.withLock { beat in
            beat?.stop()
            beat = nil
        }
    }

    /// Throws `fenced` when a lock of this process was taken by somebody else since: it was paused or hung for longer than its lease, or its run was taken over.
    func requireOwnLocks(for transaction: Transaction) throws {
        for application in transaction.applications {
            guard let mine = held.withLock({ $0[application] }) else { continue }
            let other = try note(application)
            guard other != mine.note(of: application) else { continue }
            if let other, other.holder.run == mine.holder.run { throw lost(application, mine.holder, to: other) }
            let who = other.map { "taken by run \($0.holder.run)" } ?? "taken, and let go since"
            throw DRError(
                .fenced, "the lock of \(application) at \(name) ran out while run \(mine.holder.run) was paused, and was \(who)",
                hint: "look at `drrunbook status` and `drrunbook lock list`, and begin anew")
        }
    }
}

extension Transaction {
    /// Applications whose records its guards name.
    fileprivate var applications: Set<ApplicationName> {
        var names: Set<ApplicationName> = []
        for condition in guards {
            switch condition {
            case .epoch(let name, _): names.insert(name)
            case .document(let path, _) where path.text.hasPrefix(DocumentPath.applications.text + "/"):
                if let name = try? ApplicationName(path.lastName) { names.insert(name) }
            case .document, .object, .promise: break
            }
        }
        return names
    }
}
