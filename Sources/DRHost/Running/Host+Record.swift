internal import DRJournal
public import DRModel
public import DRReport
internal import DRReplication

/// What is known of a run's record after its chain was verified.
public struct RecordCheck: Sendable {
    public let run: RunID
    /// All of them are as they were written.
    public let records: Int64
    public let hash: String
    /// How many of them are noted at clusters that answered.
    public let anchors: [(cluster: ClusterName, records: Int64)]
    /// A file that says itself where it ends.
    public let isClosed: Bool

    /// Records after these may have been cut off, and nobody could tell.
    public var anchored: Int64 { anchors.map(\.records).max() ?? 0 }
}

extension Host {
    /// Verifies a run's record here and against what is noted at clusters. Throws `journal-damaged` and names the first bad record.
    public func verify(_ run: RunID) throws -> RecordCheck {
        let own = try reading().archive(of: run)
        var anchors: [(cluster: ClusterName, records: Int64)] = []
        for cluster in configuration.clusters {
            guard let (count, hash) = try RunCopy.head(of: run, at: cluster) else { continue }
            guard count <= own.count else {
                throw DRError(
                    .journalDamaged,
                    "run \(run) ends at \(own.count), and \(cluster.name) has noted \(count): record \(own.count) is missing",
                    hint: "`drrunbook resume \(run)` on a host without it takes the copy of \(cluster.name)",
                    details: ["record": .integer(own.count)])
            }
            let here = count == 0 ? hash : own.records[Int(count) - 1].hash
            guard here == hash else {
                let other = try RunCopy(of: run, at: cluster)?.archive.records ?? []
                let first = zip(own.records, other).first { $0.hash != $1.hash }?.0.index ?? count - 1
                throw DRError(
                    .journalDamaged, "record \(first) of run \(run) is not the one that \(cluster.name) has noted",
                    details: ["record": .integer(first)])
            }
            anchors.append((cluster.name, count))
        }
        return RecordCheck(run: run, records: own.count, hash: own.hash, anchors: anchors, isClosed: true)
    }

    /// Verifies an exported run; needs no configuration. Throws `journal-damaged` and names the first bad record.
    public static func verify(file: String) throws -> RecordCheck {
        let archive = try archive(file)
        return RecordCheck(run: archive.header.id, records: archive.count, hash: archive.hash, anchors: [], isClosed: archive.isClosed)
    }

    /// The report of a run, from its record alone; the chain is verified first. Throws `not-found`, `journal-damaged`.
    public func evidence(of run: RunID) throws -> RunEvidence {
        let (header, records) = try recorded(run)
        return try RunEvidence(header: header, records: records)
    }

    /// Writes a report. Throws `conflict` when the file exists.
    public func write(_ report: String, to file: String) throws {
        try NewFile.write(report, to: PathText.absolute(file, in: PathText.workingFolder), shown: file)
    }

    /// A run as a file of its own. Throws `conflict` when the file exists.
    public func export(_ run: RunID, to file: String) throws {
        try NewFile.write(try reading().archive(of: run).text, to: PathText.absolute(file, in: PathText.workingFolder), shown: file)
    }

    /// Takes an exported run into the journal. Returns it, and how many of its records are new.
    public func importRun(_ file: String) throws -> (run: RunID, records: Int) {
        let archive = try Self.archive(file)
        guard archive.isClosed else {
            throw DRError(
                .journalDamaged,
                "\(file) does not say where it ends: it is complete up to record \(archive.count), and was cut off there or later",
                details: ["record": .integer(archive.count)])
        }
        try NewFile.makeFolders(configuration.state, shown: configuration.state)
        let journal = try SQLiteJournal.open(configuration.journal)
        let new: Int
        do { new = try journal.take(archive) } catch {
            try journal.close()
            throw error
        }
        try journal.close()
        return (archive.header.id, new)
    }

    static func archive(_ file: String) throws -> RunArchive {
        guard let text = try LargeFile.read(PathText.absolute(file, in: PathText.workingFolder)) else {
            throw DRError(.invalidInput, "there is no file \(file) that can be read")
        }
        return try RunArchive(text, file: file)
    }

    /// The longest copy of a run that stands at a cluster which answers.
    func copy(of run: RunID) throws -> RunCopy? {
        try configuration.clusters.compactMap { try RunCopy(of: run, at: $0) }.max { $0.archive.count < $1.archive.count }
    }

    /// What is recorded of a run: here, or else at a cluster.
    func recorded(_ run: RunID) throws -> (header: RunHeader, records: [JournalRecord]) {
        do {
            let journal = try reading()
            return (try journal.header(of: run), try journal.records(of: run))
        } catch let error as DRError where error.code == .notFound {
            guard let copy = try copy(of: run) else { throw error }
            return (copy.archive.header, copy.archive.records)
        }
    }
}
