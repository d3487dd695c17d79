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

    /// A live volume that goes; nil in logs of commits that remove none.
    struct Drop: Sendable, Codable, Equatable {
        var volume: VolumeName
        var kind: VolumeKind
        var device: String
        var inode: String
    }

    var key: OperationKey
    var files: [FileChange]
    var swaps: [Swap]
    var drops: [Drop]?

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

    init(key: OperationKey, files: [FileChange], swaps: [Swap], drops: [Drop] = []) {
        self.drops = drops.isEmpty ? nil : drops
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
        let folders = Set(intent.files.map { self[$0.path].folder })
        if intent.files.count > Self.few {
            try carryOutTogether(intent.files)
        } else {
            for change in intent.files {
                switch try step(change) {
                case .none: break
                case .write(let text): try replace(self[change.path], with: Array(text.utf8), deferred: true)
                case .remove: try remove(self[change.path], deferred: true)
                }
                failpoint("commit.file")
            }
        }
        if folders.count > Self.few {
            try io.syncFilesystem(own)
        } else {
            for folder in folders.sorted() where try io.facts(folder) != nil { try io.syncFolder(folder) }
        }
        failpoint("commit.files")
        for swap in intent.swaps {
            try carryOut(swap)
            failpoint("commit.swap")
        }
        for drop in intent.drops ?? [] {
            try carryOut(drop, intent.key)
            failpoint("commit.drop")
        }
        try remove(self.intent)
        failpoint("commit.done")
    }

    private enum Step { case none, write(String), remove }

    private func step(_ change: Intent.FileChange) throws -> Step {
        let now = try text(self[change.path])
        if now == change.text { return .none }
        var text = change.text
        if let now, !change.documents.isEmpty, Digest.hex(of: now) != change.replaces {
            text = try ResourceFiles.applying(change.documents, to: now, file: shown(change.path))
        }
        return text.map(Step.write) ?? .remove
    }

    /// Up to here each file and folder is synced by itself; of more the whole filesystem is, once.
    private static let few = 32

    /// All new contents are durable before the first of them gets its name.
    private func carryOutTogether(_ changes: [Intent.FileChange]) throws {
        var rest: [(path: StorePath, unfinished: StorePath?)] = []
        for (number, change) in changes.enumerated() {
            let path = self[change.path]
            let unfinished = path.folder / "\(Self.unfinished)-\(number)"
            switch try step(change) {
            case .none: try remove(unfinished, deferred: true)
            case .write(let text):
                try makeFolder(path.folder, deferred: true)
                try prepare(unfinished, Array(text.utf8), like: try io.facts(path)).close()
                rest.append((path, unfinished))
            case .remove: rest.append((path, nil))
            }
            failpoint("commit.file")
        }
        try io.syncFilesystem(own)
        failpoint("commit.contents")
        for (path, unfinished) in rest {
            if let unfinished { try io.rename(unfinished, path, .replace) } else { try remove(path, deferred: true) }
            failpoint("commit.named")
        }
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

    /// Moves what was live to the staging folder of the commit, from where it is removed.
    private func carryOut(_ drop: Intent.Drop, _ key: OperationKey) throws {
        let layout = StagingLayout(cluster: root)
        let live = layout.live(drop.volume, drop.kind)
        guard let found = try io.facts(live), String(found.device) == drop.device, String(found.inode) == drop.inode else { return }
        let target = layout.staged(drop.volume, drop.kind, key: key)
        try makeFolder(target.folder)
        try io.rename(live, target, .keep)
        try io.syncFolder(target.folder)
        try io.syncFolder(layout.volumes)
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
