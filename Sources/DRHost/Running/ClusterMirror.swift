internal import DRActions
internal import DRJournal
internal import DRModel
internal import DRReplication
internal import DRSupport

/// Runs' records at embedded clusters: `.dr/runs/RUN/` holds `records` (an archive without its last line), `head` (how many count, and the last one's hash) and
/// `owner` (the process that carries the run on).
final class ClusterMirror: RunMirror {
    private struct Copy {
        var count: Int64
        var bytes: Int64
    }

    private let journal: SQLiteJournal
    private let configuration: Configuration
    private let io = SystemStoreIO()
    /// Of this process: host, process, and a number of its own.
    private let owner: String
    private let copies = Lock<[ClusterName: Copy]>([:])

    init(journal: SQLiteJournal, configuration: Configuration, owner: String) {
        self.journal = journal
        self.configuration = configuration
        self.owner = owner
    }

    func write(_ run: RunID, before calls: [Value]) throws {
        let known = copies.withLock { Array($0.keys) }
        let places = calls.isEmpty ? Set(known) : Set(calls.flatMap(destinations))
        for cluster in configuration.clusters where places.contains(cluster.name) {
            do {
                try write(run, to: cluster)
            } catch let failure as IOFailure {
                throw DRError(
                    failure.code == 28 ? .noSpace : .clusterUnreachable, "the record cannot be copied to \(cluster.name): \(failure)")
            }
        }
    }

    private func destinations(_ input: Value) -> [ClusterName] {
        if let name = input["cluster"].string { return configuration.inventory.clusters.filter { $0.text == name } }
        guard let name = input["pair"].string, let pair = configuration.inventory.pairs.first(where: { $0.name.text == name }) else {
            return configuration.inventory.pairs.map(\.destination)
        }
        return [input["reversed"].bool == true ? pair.source : pair.destination]
    }

    private func write(_ run: RunID, to cluster: ClusterDeclaration) throws {
        guard try io.facts(StorePath(cluster.directory + "/cluster.yaml")) != nil else {
            throw DRError(.clusterUnreachable, "cluster \(cluster.name) cannot be reached: there is no \(cluster.directory)/cluster.yaml")
        }
        let folder = RunCopy.folder(of: run, at: cluster)
        try NewFile.makeFolders(folder, shown: folder)
        guard let lock = try io.lock(StorePath(folder + "/lock"), wait: true) else { return }
        defer { lock.release() }
        let known = copies.withLock { $0[cluster.name] }
        var copy = known ?? Copy(count: 0, bytes: 0)
        if known != nil {
            let holder = try TextFile.read(folder + "/owner", shown: folder + "/owner") ?? ""
            guard holder == owner + "\n" else {
                throw DRError(
                    .fenced, "run \(run) was taken over by \(holder.split(separator: " ").first ?? "another host")",
                    hint: "it is carried on there; nothing more is done here")
            }
        }
        let (text, count, hash) = try journal.lines(of: run, from: copy.count)
        if known == nil {
            // Begun anew: what stands there may have come from a host that wrote on after us.
            try StateFile.replace(folder + "/records", with: text)
            try StateFile.replace(folder + "/owner", with: owner + "\n")
        } else if count > copy.count {
            let file = try io.open(StorePath(folder + "/records"), .update, permissions: 0o644)
            do {
                let bytes = Array(text.utf8)
                try unsafe bytes.withUnsafeBytes { try unsafe file.write(at: copy.bytes, $0) }
                try file.sync()
            } catch {
                try file.close()
                throw error
            }
            try file.close()
        } else {
            return
        }
        try StateFile.replace(folder + "/head", with: "\(count) \(hash)\n")
        copy.count = count
        copy.bytes += Int64(text.utf8.count)
        copies.withLock { $0[cluster.name] = copy }
    }
}

/// A run's records as they stand at a cluster.
struct RunCopy {
    let cluster: ClusterName
    let archive: RunArchive

    static func folder(of run: RunID, at cluster: ClusterDeclaration) -> String { "\(cluster.directory)/.dr/runs/\(run)" }

    /// How many records are anchored there, and the last one's hash; nil when nothing is.
    static func head(of run: RunID, at cluster: ClusterDeclaration) throws -> (count: Int64, hash: String)? {
        let path = folder(of: run, at: cluster) + "/head"
        guard let text = try TextFile.read(path, shown: path) else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let count = Int64(words[0]) else {
            throw DRError(.journalDamaged, "\(path) is damaged: expected a count and a hash")
        }
        return (count, String(words[1]))
    }

    /// Nil when the cluster has none. Throws `journal-damaged`.
    init?(of run: RunID, at cluster: ClusterDeclaration) throws {
        let path = Self.folder(of: run, at: cluster) + "/records"
        guard let head = try Self.head(of: run, at: cluster) else { return nil }
        guard let text = try LargeFile.read(path) else { throw DRError(.journalDamaged, "\(path) is missing: record 0 and what follows") }
        let archive = try RunArchive(text, file: path, end: head.count)
        guard archive.hash == head.hash else {
            throw DRError(
                .journalDamaged, "\(path) is damaged: record \(max(0, head.count - 1)) is not the one that was anchored",
                details: ["record": .integer(max(0, head.count - 1))])
        }
        self.cluster = cluster.name
        self.archive = archive
    }
}

/// Text of any size.
enum LargeFile {
    static func read(_ path: String) throws -> String? {
        let io = SystemStoreIO()
        do {
            guard let facts = try io.facts(StorePath(path)) else { return nil }
            let file = try io.open(StorePath(path), .read, permissions: 0)
            var bytes = [UInt8](repeating: 0, count: Int(facts.size))
            let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
            try file.close()
            return String(validating: bytes[..<count], as: UTF8.self)
        } catch let failure as IOFailure {
            throw DRError(.io, "\(path) cannot be read: \(failure)")
        }
    }
}
