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

    /// What tells that nobody touched it since: nil when it is not there, or changes right now.
    func facts(_ workers: Workers) throws -> (hash: ContentHash, newest: Instant)? {
        guard try io.facts(content) != nil else { return nil }
        var digest = SetDigest()
        try digest.add(name, at: content, io: io, workers: workers)
        guard let hash = digest.hash, let newest = digest.newest else { return nil }
        return (hash, newest)
    }
}

/// Says durably, before the first change, that a head is being changed.
final class HeadMark: Sendable {
    private let head: Head
    private let begun = Monitor(false)

    init(_ head: Head) { self.head = head }

    var isBegun: Bool { begun.change { $0 } }

    func begin() throws {
        // Others wait until it is durable: they are about to write, too.
        try begun.change { begun in
            guard !begun else { return }
            try head.write(.applying)
            failpoint("head.applying")
            begun = true
        }
    }
}
