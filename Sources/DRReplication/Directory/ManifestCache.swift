internal import DRManifest
internal import DRModel
internal import DRSupport

/// Manifest files as they were read last, for as long as what `lstat` says of them stays the same.
final class ManifestCache: Sendable {
    /// One reading of one file.
    final class Entry: Sendable {
        let path: String
        let facts: FileFacts
        let readAt: Instant
        let file: ManifestFile

        init(path: String, facts: FileFacts, readAt: Instant, file: ManifestFile) {
            self.path = path
            self.facts = facts
            self.readAt = readAt
            self.file = file
        }

        // A file changed twice within one tick of the kernel's clock looks unchanged; such young files are read again.
        func isStill(_ now: FileFacts) -> Bool { facts == now && readAt - now.changed > .milliseconds(20) }
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// What was made of these readings, in their order.
        var whole: (entries: [Entry], resources: ResourceFiles)?
    }

    private let state = Lock(State())
    private let clock: any WallClock

    init(clock: any WallClock) { self.clock = clock }

    func entry(_ path: String, _ facts: FileFacts, in folder: ClusterFolder) throws -> Entry {
        if let kept = state.withLock({ $0.entries[path] }), kept.isStill(facts) { return kept }
        let readAt = clock.now()
        let file = try ManifestFile(try folder.text(folder[path]) ?? "", file: folder.shown(path))
        let entry = Entry(path: path, facts: facts, readAt: readAt, file: file)
        state.withLock { $0.entries[path] = entry }
        return entry
    }

    /// All files of a cluster together; the same when they are the same readings as last time.
    func whole(of entries: [Entry]) throws -> ResourceFiles {
        if let whole = state.withLock({ $0.whole }), whole.entries.elementsEqual(entries, by: ===) { return whole.resources }
        let resources = try ResourceFiles(files: Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0.file) }))
        state.withLock { $0.whole = (entries, resources) }
        return resources
    }

    /// What was read last, if these objects were there and their files are still the same: nothing else of it may be asked. Nil = read all.
    func known(_ keys: some Sequence<ObjectKey>, in folder: ClusterFolder) throws -> ResourceFiles? {
        guard let (_, resources) = state.withLock({ $0.whole }) else { return nil }
        var looked: Set<String> = []
        for key in keys {
            guard let path = resources.file(of: key) else { return nil }
            guard looked.insert(path).inserted else { continue }
            guard let kept = state.withLock({ $0.entries[path] }), let facts = try folder.io.facts(folder[path]), kept.isStill(facts),
                resources.holds(kept.file, at: path)
            else { return nil }
        }
        return resources
    }
}
