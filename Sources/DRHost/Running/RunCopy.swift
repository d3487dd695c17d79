internal import DRJournal
internal import DRModel

/// A run's records as they stand at a cluster.
struct RunCopy {
    let cluster: ClusterName
    let archive: RunArchive
    let head: NotedHead
    /// Who carries the run on, as it says there: an account, `alice@db-host`.
    let owner: String

    static func folder(of run: RunID, at cluster: ClusterDeclaration) -> String { "\(cluster.directory)/.dr/runs/\(run)" }

    /// A site that is gone has no copy, and is not waited for.
    static func answers(_ cluster: ClusterDeclaration) -> Bool { TextFile.exists(cluster.directory + "/cluster.yaml") }

    /// The line that names the process; empty where there is none.
    static func owner(of run: RunID, at cluster: ClusterDeclaration) throws -> String {
        let path = folder(of: run, at: cluster) + "/owner"
        return (try TextFile.read(path, shown: path) ?? "").filter { !$0.isNewline }
    }

    static func name(of owner: String) -> String { owner.split(separator: " ").first.map(String.init) ?? "another host" }

    /// How many records are anchored there, and the last one's hash; nil when nothing is.
    static func head(of run: RunID, at cluster: ClusterDeclaration) throws -> NotedHead? {
        let path = folder(of: run, at: cluster) + "/head"
        guard let text = try TextFile.read(path, shown: path) else { return nil }
        guard let head = NotedHead(text) else { throw DRError(.journalDamaged, "\(path) is damaged: expected a count and a hash") }
        return head
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
        self.head = head
        owner = Self.name(of: try Self.owner(of: run, at: cluster))
    }
}

/// A head as it stands at a cluster: a line with count and hash, and below it the signature, where there is one.
struct NotedHead: Hashable {
    let count: Int64
    let hash: String
    let signature: String?

    init(count: Int64, hash: String, signature: String?) {
        self.count = count
        self.hash = hash
        self.signature = signature
    }

    init?(_ text: String) {
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let words = parts[0].split(separator: " ")
        guard parts.count == 2, words.count == 2, let count = Int64(words[0]), String(count) == words[0] else { return nil }
        self.init(count: count, hash: String(words[1]), signature: parts[1].isEmpty ? nil : String(parts[1]))
    }

    var text: String { "\(count) \(hash)\n\(signature ?? "")" }
}

/// Two records of one run that are not each other's beginning: two hosts wrote on from the same place.
enum RunFork {
    /// Throws `fenced` unless what stands at the cluster is the beginning of what is here, or all of it.
    static func check(_ run: RunID, _ journal: SQLiteJournal, at cluster: ClusterDeclaration) throws {
        guard let head = try RunCopy.head(of: run, at: cluster) else { return }
        if try journal.hash(of: run, after: head.count) == head.hash { return }
        guard let copy = try RunCopy(of: run, at: cluster) else { return }
        let own = try journal.records(of: run)
        throw error(run, own, here: "here", copy)
            ?? DRError(
                .fenced,
                "run \(run) was carried on by \(copy.owner): \(copy.cluster) has \(copy.archive.count) records, here are \(own.count)",
                hint: "`drrunbook resume \(run)` takes them, and the run from \(copy.owner)")
    }

    /// Nil where one is the beginning of the other.
    static func error(_ run: RunID, _ records: [JournalRecord], here place: String, _ copy: RunCopy) -> DRError? {
        guard let (own, _) = zip(records, copy.archive.records).first(where: { $0.hash != $1.hash }) else { return nil }
        return DRError(
            .fenced,
            "run \(run) was carried on twice: record \(own.index) \(place) is not the one that \(copy.owner) wrote to \(copy.cluster)",
            hint:
                "nothing was changed. The run is \(copy.owner)'s since; to take it from there use a host, or a `state` folder, that does not have it. "
                + "`drrunbook status` says where each application is",
            details: ["run": .string(run.text), "record": .integer(own.index), "owner": .string(copy.owner)])
    }
}
