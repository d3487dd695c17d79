internal import DRModel
internal import DRSupport

/// The redo log of one commit: once it is durable the commit has happened, and whoever finds it carries it out to the end.
///
/// Every step looks at what is there before it acts, so that carrying it out again after a crash anywhere ends in the same state.
struct Intent: Sendable, Codable, Equatable {
    /// One file's new content.
    struct FileChange: Sendable, Codable, Equatable {
        /// Relative to the cluster's folder.
        var path: String
        /// Nil = removed.
        var text: String?
        /// SHA-256 of what it replaces; nil = nothing.
        var replaces: String?
        /// The documents that change, for a file of resources that somebody edits between a crash and the rolling forward.
        var documents: [DocumentChange] = []
    }

    struct DocumentChange: Sendable, Codable, Equatable {
        var key: ObjectKey
        /// Nil = deleted.
        var text: String?
    }

    /// A staged volume that takes the live one's place.
    struct Swap: Sendable, Codable, Equatable {
        var volume: VolumeName
        var kind: VolumeKind
        /// The operation's key under which it is staged.
        var key: OperationKey
        /// Which file or folder it is: after the swap the live one is this.
        var device: String
        var inode: String
        /// A live volume of the other kind, which has to make room.
        var displaces: VolumeKind?
        /// The folder below `.dr/divergent` where what was live is kept; nil = it is discarded.
        var keeps: String?
    }

    var key: OperationKey
    var files: [FileChange]
    var swaps: [Swap]

    /// The file's content: a checksum, then the log.
    func bytes() throws -> [UInt8] {
        let body = try Value(encoding: self).json()
        return Array("\(Digest.hex(of: body))\n\(body)\n".utf8)
    }

    /// Throws `damaged`.
    init(_ bytes: [UInt8], path: StorePath) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, case let body = String(parts[1].dropLast()), Digest.hex(of: body) == parts[0],
            let intent = try? Value(json: body).decoded(as: Intent.self)
        else {
            throw DRError(
                .damaged, "\(path) is damaged: an unfinished commit cannot be carried on with",
                hint: "compare resources/, volumes/ and .dr/state with what the last run reports, then remove the file")
        }
        self = intent
    }

    init(key: OperationKey, files: [FileChange], swaps: [Swap]) {
        self.key = key
        self.files = files
        self.swaps = swaps
    }
}

extension ClusterFolder {
    /// The commit that was under way when somebody died, or is under way elsewhere.
    func pendingIntent() throws -> Intent? {
        guard let bytes = try read(intent) else { return nil }
        return try Intent(bytes, path: intent)
    }

    /// Makes the intent durable: from here on the commit has happened.
    func write(_ intent: Intent) throws {
        try makeFolder(own)
        try replace(self.intent, with: try intent.bytes())
    }

    /// Carries the intent out and removes it. Holds the commit lock.
    func carryOut(_ intent: Intent) throws {
        var folders: Set<StorePath> = []
        for change in intent.files {
            folders.insert(self[change.path].folder)
            try carryOut(change)
            failpoint("commit.file")
        }
        for folder in folders.sorted() where try io.facts(folder) != nil { try io.syncFolder(folder) }
        failpoint("commit.files")
        for swap in intent.swaps {
            try carryOut(swap)
            failpoint("commit.swap")
        }
        try remove(self.intent)
        failpoint("commit.done")
    }

    private func carryOut(_ change: Intent.FileChange) throws {
        let path = self[change.path]
        let now = try text(path)
        if now == change.text { return }
        var text = change.text
        if let now, !change.documents.isEmpty, Digest.hex(of: now) != change.replaces {
            text = try ResourceFiles.applying(change.documents, to: now, file: shown(change.path))
        }
        if let text { try replace(path, with: Array(text.utf8), deferred: true) } else { try remove(path, deferred: true) }
    }

    private func carryOut(_ swap: Intent.Swap) throws {
        let layout = StagingLayout(cluster: root)
        let live = layout.live(swap.volume, swap.kind)
        let staged = layout.staged(swap.volume, swap.kind, key: swap.key)
        func isTheNewOne(_ path: StorePath) throws -> Bool {
            guard let found = try io.facts(path) else { return false }
            return String(found.device) == swap.device && String(found.inode) == swap.inode
        }
        if let other = swap.displaces, case let displaced = layout.live(swap.volume, other), try io.facts(displaced) != nil {
            try io.rename(displaced, layout.staged(swap.volume, other, key: swap.key), .keep)
            try io.syncFolder(layout.volumes)
            failpoint("commit.displaced")
        }
        if try !isTheNewOne(live) {
            guard try isTheNewOne(staged) else {
                throw DRError(
                    .damaged, "volume \(swap.volume) of cluster \(cluster) is neither staged nor live",
                    hint: "an unfinished commit needs \(staged)")
            }
            try makeFolder(layout.volumes)
            try io.rename(staged, live, try io.facts(live) == nil ? .keep : .exchange)
        }
        // Also when it was in place already: the crash may have come before these.
        try io.syncFolder(layout.volumes)
        if try io.facts(layout.folder(of: swap.key)) != nil { try io.syncFolder(layout.folder(of: swap.key)) }
        guard let keeps = swap.keeps else { return }
        // The new one is live: what is still staged is what was live before, unless it was kept already.
        for kind in [swap.kind, swap.displaces].compactMap(\.self) {
            try keep(layout.staged(swap.volume, kind, key: swap.key), in: keeps)
            failpoint("commit.kept")
        }
    }

    /// Moves what was live to `.dr/divergent/PLACE/`, or `PLACE-2/` and so on where its name is taken.
    private func keep(_ volume: StorePath, in place: String) throws {
        guard try io.facts(volume) != nil else { return }
        var number = 1
        func target() -> StorePath { own / "divergent" / (number == 1 ? place : "\(place)-\(number)") / volume.lastComponent }
        while try io.facts(target()) != nil { number += 1 }
        try makeFolder(target().folder)
        try io.rename(volume, target(), .keep)
        try io.syncFolder(target().folder)
        try io.syncFolder(volume.folder)
    }
}
