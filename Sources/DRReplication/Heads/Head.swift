internal import DRModel
internal import DRSupport

/// A volume that stands by: made of a point, beside the live one. A cache, never the only copy of anything.
///
///     .dr/heads/APP/.lock            the lock of the process that reads or changes heads of the application
///     .dr/heads/APP/VOLUME/note      what is known of it
///     .dr/heads/APP/VOLUME/volume    the folder or the image
struct Head: Sendable {
    let name: VolumeName
    let folder: StorePath
    let io: any StoreIO

    var content: StorePath { folder / "volume" }
    private var notePath: StorePath { folder / "note" }

    func note() throws -> HeadNote? {
        guard try io.facts(notePath)?.kind == .file else { return nil }
        return HeadNote(try io.readWhole(notePath))
    }

    /// Durable when it returns.
    func write(_ note: HeadNote) throws {
        let new = folder / "note.new"
        try io.removeTree(new)
        let file = try io.open(new, .create, permissions: 0o600)
        try unsafe note.bytes().withUnsafeBytes { try unsafe file.write(at: 0, $0) }
        try file.sync()
        try file.close()
        try io.rename(new, notePath, .replace)
        try io.syncFolder(folder)
    }

    /// The note goes first: what a crash leaves of the rest is nobody's.
    func remove() throws {
        if try io.facts(notePath) != nil { try io.removeFile(notePath) }
        try io.removeTree(folder)
    }

    /// What tells that nobody touched it since: nil when it is not there, changes right now, or has a file with a name elsewhere: what is written into
    /// that one would be written there, too.
    func facts(_ workers: Workers, since roll: HeadMark? = nil) throws -> HeadFacts? {
        guard try io.facts(content) != nil else { return nil }
        var digest = SetDigest()
        var links: [FileNumber: UInt64] = [:]
        var (ours, foreign): (Set<FileNumber>, Set<FileNumber>) = ([], [])
        var walk = TreeWalk(name, at: content, io: io, workers: workers)
        while let entry = try walk.next() {
            digest.add(entry)
            let number = FileNumber(entry.facts)
            if entry.facts.kind != .folder, entry.facts.links > 1 { links[number, default: entry.facts.links] -= 1 }
            guard let roll, entry.facts.changed >= roll.began else { continue }
            if roll.hasTouched(entry.path) { ours.insert(number) } else { foreign.insert(number) }
        }
        guard !walk.sawChange, links.values.allSatisfy({ $0 == 0 }), let hash = digest.hash, let newest = digest.newest else { return nil }
        return HeadFacts(hash: hash, newest: newest, isOurs: foreign.isSubset(of: ours))
    }

    /// What the filesystem would stamp a change with now.
    func time() throws -> Instant {
        let probe = folder / "now"
        try io.removeTree(probe)
        let file = try io.open(probe, .create, permissions: 0o600)
        let facts = try file.facts()
        try file.close()
        try io.removeFile(probe)
        return facts.changed
    }
}

struct HeadFacts: Sendable {
    let hash: ContentHash
    let newest: Instant
    /// All that changed since the roll began was changed by it.
    let isOurs: Bool
}

/// Says durably, before the first change, that a head is being changed; and knows what was.
final class HeadMark: Sendable {
    private let head: Head
    /// In the filesystem's time.
    let began: Instant
    /// Nil: nothing is changed so far.
    private let touched: Monitor<Set<[UInt8]>?> = Monitor(nil)

    init(_ head: Head) throws {
        self.head = head
        began = try head.time()
    }

    var isBegun: Bool { touched.change { $0 != nil } }

    func hasTouched(_ path: [UInt8]) -> Bool { touched.change { $0?.contains(path) ?? false } }

    /// Something at `path` is about to change.
    func begin(_ path: [UInt8]) throws {
        // Others wait until it is durable: they are about to write, too.
        try touched.change { touched in
            if touched == nil {
                try head.write(.applying)
                failpoint("head.applying")
                touched = []
            }
            touched?.insert(path)
        }
    }
}
