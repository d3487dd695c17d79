internal import DRActions
internal import DRJournal
internal import DRModel
internal import DRReplication
internal import DRSupport

/// Runs' records at embedded clusters: `.dr/runs/RUN/` holds `records` (an archive without its last line), `head` (how many count, and the last one's hash) and
/// `owner` (the process that carries the run on).
///
/// A copy only grows: it is the beginning of the record here, or nothing is written over it.
final class ClusterMirror: RunMirror {
    private struct Copy {
        var count: Int64 = 0
        var bytes: Int64 = 0
        /// What stands there was written by this process, and can be added to.
        var isOurs = false
    }

    private let journal: SQLiteJournal
    private let configuration: Configuration
    private let io = SystemStoreIO()
    /// Of this process: host, process, and a number of its own.
    private let owner: String
    private let signatures: HeadSignatures
    /// Of the last head that was signed: each cluster gets the same.
    private let signed = Lock<(head: HeadStatement, signature: String)?>(nil)
    /// Where copies are, as far as this process has seen.
    private let copies = Lock<[ClusterName: Copy]>([:])
    /// A cluster that did not answer when the run was taken up may have a copy, too.
    private let mayBeMore = Lock(false)

    init(journal: SQLiteJournal, configuration: Configuration, owner: String, signatures: HeadSignatures) {
        self.signatures = signatures
        self.journal = journal
        self.configuration = configuration
        self.owner = owner
    }

    func claim(_ run: RunID) throws {
        for cluster in configuration.clusters {
            guard RunCopy.answers(cluster) else {
                mayBeMore.withLock { $0 = true }
                continue
            }
            guard try RunCopy.head(of: run, at: cluster) != nil else { continue }
            try locked(run, at: cluster) { folder in
                try RunFork.check(run, journal, at: cluster)
                try StateFile.replace(folder + "/owner", with: owner + "\n")
            }
            copies.withLock { $0[cluster.name] = Copy() }
        }
    }

    /// What became of the clusters that were written to already: what begins at the same time needs one copy.
    private typealias Round = [ClusterName: Result<Void, DRError>]

    func write(_ run: RunID, for occasions: [(MirrorOccasion, at: CallPlace?)]) throws -> [DRError?] {
        var round: Round = [:]
        return try occasions.map { occasion, _ in
            do {
                try write(run, for: occasion, &round)
                return nil
            } catch let error as DRError where error.code != .fenced {
                return error
            }
        }
    }

    private func write(_ run: RunID, for occasion: MirrorOccasion, _ round: inout Round) throws {
        switch occasion {
        case .change(let input):
            guard let cluster = configuration.recordPlace(of: input) else { return try writeAnywhere(run, &round) }
            if let failure = try write(run, to: [cluster], &round).failure { throw failure }
        case .outside: try writeAnywhere(run, &round)
        case .rest:
            if let failure = try write(run, to: known, &round).failure { throw failure }
        }
    }

    func holdsEverywhere(_ run: RunID) throws -> Bool {
        // Others are not asked: one of them may be lost.
        guard !mayBeMore.withLock({ $0 }) else { return false }
        for cluster in known {
            guard RunCopy.answers(cluster), let head = try RunCopy.head(of: run, at: cluster) else { return false }
            let end = try journal.lines(of: run, from: head.count)
            guard end.count == head.count, end.hash == head.hash else { return false }
        }
        return true
    }

    private var known: [ClusterDeclaration] {
        let names = copies.withLock { Set($0.keys) }
        return configuration.clusters.filter { names.contains($0.name) }
    }

    /// To all copies that can be reached. Where there is none: to the pairs' destinations, or to any cluster that answers. One is enough for whoever takes the run
    /// over and reaches it; without one it fails.
    private func writeAnywhere(_ run: RunID, _ round: inout Round) throws {
        let clusters = configuration.clusters
        guard !clusters.isEmpty else { return }
        let destinations = Set(configuration.inventory.pairs.map(\.destination))
        var tried: Set<ClusterName> = []
        var failure: DRError?
        for group in [known, clusters.filter { destinations.contains($0.name) }, clusters] {
            let new = group.filter { tried.insert($0.name).inserted }
            let ended = try write(run, to: new, &round)
            if ended.count > 0 { return }
            failure = failure ?? ended.failure
        }
        throw Self.nowhere(failure)
    }

    static func nowhere(_ failure: DRError?) -> DRError {
        DRError(
            .clusterUnreachable, "no cluster can take a copy of the record" + (failure.map { ": \($0.message)" } ?? ""),
            hint: "what must not be done twice is recorded at a cluster first, for a host that takes the run over; it was not begun")
    }

    static func unreachable(_ cluster: ClusterDeclaration) -> DRError {
        DRError(.clusterUnreachable, "cluster \(cluster.name) cannot be reached: there is no \(cluster.directory)/cluster.yaml")
    }

    /// Throws only `fenced`. Returns how many were written, and why the first of the others was not.
    private func write(
        _ run: RunID, to clusters: [ClusterDeclaration], _ round: inout Round
    ) throws -> (count: Int, failure: DRError?) {
        var count = 0
        var failure: DRError?
        for cluster in clusters {
            do {
                if let ended = round[cluster.name] { try ended.get() } else { try write(run, to: cluster) }
                round[cluster.name] = .success(())
                count += 1
            } catch let error as DRError where error.code != .fenced {
                round[cluster.name] = .failure(error)
                failure = failure ?? error
            }
        }
        return (count, failure)
    }

    private func write(_ run: RunID, to cluster: ClusterDeclaration) throws {
        try locked(run, at: cluster) { folder in
            var copy = copies.withLock { $0[cluster.name] } ?? Copy()
            if copies.withLock({ $0[cluster.name] }) != nil {
                let holder = try RunCopy.owner(of: run, at: cluster)
                guard holder == owner else {
                    throw DRError(
                        .fenced, "run \(run) was taken over by \(RunCopy.name(of: holder)), as \(cluster.name) says",
                        hint: "it is carried on there; nothing more is done here")
                }
            }
            if !copy.isOurs { try RunFork.check(run, journal, at: cluster) }
            let (text, count, hash) = try journal.lines(of: run, from: copy.count)
            if !copy.isOurs {
                try StateFile.replace(folder + "/records", with: text)
                try StateFile.replace(folder + "/owner", with: owner + "\n")
                copy = Copy(isOurs: true)
            } else if count > copy.count {
                try append(text, to: folder + "/records", at: copy.bytes)
            } else {
                return
            }
            let signature = try signature(of: HeadStatement(run: run, count: count, hash: hash))
            try StateFile.replace(folder + "/head", with: NotedHead(count: count, hash: hash, signature: signature).text)
            copy.count = count
            copy.bytes += Int64(text.utf8.count)
            copies.withLock { $0[cluster.name] = copy }
        }
    }

    private func signature(of head: HeadStatement) throws -> String? {
        if let last = signed.withLock({ $0 }), last.head == head { return last.signature }
        guard let signature = try signatures.sign(head) else { return nil }
        signed.withLock { $0 = (head, signature) }
        return signature
    }

    /// Under the lock of the run's folder at the cluster.
    private func locked(_ run: RunID, at cluster: ClusterDeclaration, _ body: (String) throws -> Void) throws {
        guard RunCopy.answers(cluster) else {
            throw Self.unreachable(cluster)
        }
        let folder = RunCopy.folder(of: run, at: cluster)
        do {
            try NewFile.makeFolders(folder, shown: folder)
            guard let lock = try io.lock(StorePath(folder + "/lock"), wait: true) else {
                throw DRError(.clusterUnreachable, "the record cannot be copied to \(cluster.name): \(folder)/lock cannot be locked")
            }
            defer { lock.release() }
            try body(folder)
        } catch let failure as IOFailure {
            throw DRError(
                failure.code == 28 ? .noSpace : .clusterUnreachable, "the record cannot be copied to \(cluster.name): \(failure)")
        }
    }

    private func append(_ text: String, to path: String, at offset: Int64) throws {
        let file = try io.open(StorePath(path), .update, permissions: 0o644)
        do {
            let bytes = Array(text.utf8)
            try unsafe bytes.withUnsafeBytes { try unsafe file.write(at: offset, $0) }
            try file.sync()
        } catch {
            try file.close()
            throw error
        }
        try file.close()
    }
}

extension Configuration {
    /// The cluster that a call with this input changes first, which keeps the run's record; nil where the input names none.
    func recordPlace(of input: Value) -> ClusterDeclaration? {
        func cluster(_ name: ClusterName) -> ClusterDeclaration? { clusters.first { $0.name == name } }
        for field in ["cluster", "destination"] {
            if let text = input[field].string, let found = clusters.first(where: { $0.name.text == text }) { return found }
        }
        let schedule = inventory.schedules.first { $0.name.text == input["name"].string }
        guard let name = input["pair"].string ?? schedule?.pair.text, let pair = inventory.pairs.first(where: { $0.name.text == name })
        else { return nil }
        return cluster(input["reversed"].bool == true ? pair.source : pair.destination)
    }
}
