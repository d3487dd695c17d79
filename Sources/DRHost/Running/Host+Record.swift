internal import DRActions
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
    /// How many of them are noted at clusters that answered, and who signed that.
    public let anchors: [(cluster: ClusterName, records: Int64, signed: HeadSigned)]
    /// A file that says itself where it ends.
    public let isClosed: Bool
    /// Clusters that did not answer: they may have noted more.
    public var silent: [ClusterName] = []
    /// What it says of its gates is not what the approvals in it make of them: `journal-damaged`; or what dr.yaml, as it is now, makes of them, and nobody signed the record:
    /// `not-allowed`.
    public var doubt: DRError?
    /// What people said of calls whose answers were lost.
    public var settledCalls: [SettledCall] = []
    /// Of a file: who signed its end.
    public var signed: HeadSigned = .notAsked
    /// What of it was taken though nobody had signed it.
    public var unsigned: UnsignedTaking?

    /// Records after these may have been cut off, and nobody could tell. A head that nobody signed anchors nothing where dr.yaml names keys.
    public var anchored: Int64 { anchors.filter(\.signed.counts).map(\.records).max() ?? 0 }
}

extension Host {
    /// Verifies a run's record here, record by record against every copy at a cluster that answers. Throws `journal-damaged` and names the first bad record.
    public func verify(_ run: RunID) throws -> RecordCheck {
        let own: RunArchive
        do { own = try reading().archive(of: run) } catch let error as DRError where error.code == .notFound {
            for cluster in configuration.clusters where RunCopy.answers(cluster) {
                guard let copy = try RunCopy(of: run, at: cluster) else { continue }
                throw DRError(
                    .journalDamaged,
                    "run \(run) is not in the journal \(configuration.journal), and \(copy.cluster) has \(copy.archive.count) records of it: record 0 is missing",
                    hint: "`drrunbook resume \(run)` takes the copy; if the run was never here, \(copy.owner) has its journal",
                    details: ["run": .string(run.text), "record": .integer(0)])
            }
            throw error
        }
        var anchors: [(cluster: ClusterName, records: Int64, signed: HeadSigned)] = []
        var silent: [ClusterName] = []
        for cluster in configuration.clusters {
            guard RunCopy.answers(cluster) else {
                silent.append(cluster.name)
                continue
            }
            guard let copy = try RunCopy(of: run, at: cluster) else { continue }
            if let first = zip(own.records, copy.archive.records).first(where: { $0.hash != $1.hash })?.0.index {
                throw DRError(
                    .journalDamaged, "record \(first) of run \(run) is not the one that \(cluster.name) has noted",
                    hint: "one of the two was changed, or the run was carried on twice; \(copy.owner) wrote the copy",
                    details: ["run": .string(run.text), "record": .integer(first)])
            }
            guard copy.archive.count <= own.count else {
                throw DRError(
                    .journalDamaged,
                    "run \(run) ends at \(own.count), and \(cluster.name) has noted \(copy.archive.count): record \(own.count) is missing",
                    hint: "`drrunbook resume \(run)` takes the copy of \(cluster.name), which \(copy.owner) wrote",
                    details: ["run": .string(run.text), "record": .integer(own.count)])
            }
            anchors.append((cluster.name, copy.archive.count, try signed(copy)))
        }
        let isSigned = anchors.contains { $0.signed.isSigned && $0.records == own.count }
        return RecordCheck(
            run: run, records: own.count, hash: own.hash, anchors: anchors, isClosed: true, silent: silent,
            doubt: try Self.doubt(admission, own.header, own.records, isSigned: isSigned),
            settledCalls: own.records.settledCalls, unsigned: try unsigned(run, own.records))
    }

    // The host that signed saw by what its gates were passed: who may pass them by now does not matter then.
    private static func doubt(
        _ admission: RecordAdmission, _ header: RunHeader, _ records: [JournalRecord], isSigned: Bool
    ) throws -> DRError? {
        let doubt = try admission.doubt(header, records)
        return isSigned && doubt?.code == .notAllowed ? nil : doubt
    }

    private func signed(_ copy: RunCopy) throws -> HeadSigned {
        try headSignatures.admit(
            copy.head.signature, of: HeadStatement(run: copy.archive.header.id, count: copy.head.count, hash: copy.head.hash),
            at: "\(copy.cluster)")
    }

    /// Verifies an exported run; needs no configuration, but for whose signature and whose approvals count. Throws `journal-damaged` and names the first bad record.
    public static func verify(file: String, configuration: Configuration? = nil) throws -> RecordCheck {
        let archive = try archive(file)
        var check = RecordCheck(
            run: archive.header.id, records: archive.count, hash: archive.hash, anchors: [], isClosed: archive.isClosed,
            settledCalls: archive.records.settledCalls, unsigned: UnsignedTaking.recorded(in: archive.records))
        if let configuration {
            check.signed = try HeadSignatures(configuration, random: SystemRandom()).admit(
                archive.signature, of: HeadStatement(run: archive.header.id, count: archive.count, hash: archive.hash), at: file)
            check.doubt = try doubt(
                admission(configuration, SystemRandom()), archive.header, archive.records, isSigned: check.signed.isSigned)
        }
        return check
    }

    /// The report of a run, from its record alone; the chain is verified first. Throws `not-found`, `journal-damaged`.
    public func evidence(of run: RunID) throws -> RunEvidence {
        let (header, records) = try recorded(run)
        var evidence = try RunEvidence(header: header, records: records)
        evidence.unsigned = try unsigned(run, records)
        evidence.signature = try signature(of: HeadStatement(run: run, count: Int64(records.count), hash: evidence.head), records)
        evidence.doubt = try Self.doubt(admission, header, records, isSigned: evidence.signature != nil)?.message
        return evidence
    }

    /// Writes a report. Throws `conflict` when the file exists.
    public func write(_ report: String, to file: String) throws {
        try NewFile.write(report, to: PathText.absolute(file, in: PathText.workingFolder), shown: file)
    }

    /// A run as a file of its own. Throws `conflict` when the file exists.
    public func export(_ run: RunID, to file: String) throws {
        let archive = try reading().archive(of: run)
        let signature = try signature(of: HeadStatement(run: run, count: archive.count, hash: archive.hash), archive.records)
        try NewFile.write(archive.text(signature: signature), to: PathText.absolute(file, in: PathText.workingFolder), shown: file)
    }

    /// Takes an exported run into the journal. Returns it, how many of its records are new, who signed its end, and why it cannot be vouched for, where nobody did; a wrong
    /// signature is refused.
    ///
    /// `unsigned`: why it is taken though nobody signed its end and dr.yaml names keys. Throws `not-allowed` where nobody said so.
    public func importRun(_ file: String, unsigned: String? = nil) throws -> (run: RunID, records: Int, signed: HeadSigned, doubt: DRError?)
    {
        let archive = try Self.archive(file)
        guard archive.isClosed else {
            throw DRError(
                .journalDamaged,
                "\(file) does not say where it ends: it is complete up to record \(archive.count), and was cut off there or later",
                details: ["record": .integer(archive.count)])
        }
        let signed = try headSignatures.admit(
            archive.signature, of: HeadStatement(run: archive.header.id, count: archive.count, hash: archive.hash), at: file)
        try NewFile.makeFolders(configuration.state, shown: configuration.state, isPrivate: true)
        try admission.admit(archive.header, archive.records)
        let journal = try SQLiteJournal.open(configuration.journal)
        let new: Int
        do {
            let taking = try journal.holds(archive) ? nil : try requireSigned(signed, archive, in: file, unsigned)
            new = try take(archive, taking, into: journal)
        } catch {
            try journal.close()
            throw error
        }
        try journal.close()
        return (archive.header.id, new, signed, signed.isSigned ? nil : try admission.doubt(archive.header, archive.records))
    }

    static func archive(_ file: String) throws -> RunArchive {
        guard let text = try LargeFile.read(PathText.absolute(file, in: PathText.workingFolder)) else {
            throw DRError(
                .invalidInput, "there is no file \(file) that can be read\(NearbyFile.hint(forGiven: file))",
                hint: "expected one that `drrunbook export RUN` wrote; nothing was taken")
        }
        return try RunArchive(text, file: file)
    }

    /// How records that come from elsewhere, and those that are carried on, are looked at.
    var admission: RecordAdmission { Self.admission(configuration, world.random) }

    private static func admission(_ configuration: Configuration, _ random: any RandomSource) -> RecordAdmission {
        let tool = SSHSignature(folder: configuration.state, random: random)
        return RecordAdmission(rules: configuration.approvals) { approval, key in
            guard let key, let signature = approval.signature else { return nil }
            return try tool.verify(approval.statement.text, signature: signature, key: key, namespace: GateStatement.namespace)
        }
    }

    /// The copy of a run that says more than the journal here does; nil where the journal has all of it. Every cluster that answers is asked. Throws `not-found` where nobody
    /// has the run, `fenced` where two of them were written on from the same record.
    func copyBeyond(_ journal: SQLiteJournal?, of run: RunID) throws -> RunCopy? {
        func unlessMissing<Result>(_ body: (SQLiteJournal) throws -> Result) throws -> Result? {
            do { return try journal.map(body) } catch let error as DRError where error.code == .notFound { return nil }
        }
        var isHere = false
        var missing = DRError(.notFound, "there is no run \(run)", hint: "nothing has been run here yet")
        do { isHere = try journal?.header(of: run) != nil } catch let error as DRError where error.code == .notFound { missing = error }
        var best: RunCopy?
        for cluster in configuration.clusters where RunCopy.answers(cluster) {
            guard let head = try RunCopy.head(of: run, at: cluster) else { continue }
            if isHere, try unlessMissing({ try $0.hash(of: run, after: head.count) }) == head.hash { continue }
            guard let copy = try RunCopy(of: run, at: cluster) else { continue }
            if isHere, let own = try unlessMissing({ try $0.records(of: run) }),
                let fork = RunFork.error(run, own, here: "here", copy)
            {
                throw fork
            }
            if let best, let fork = RunFork.error(run, best.archive.records, here: "at \(best.cluster)", copy) { throw fork }
            if copy.archive.count >= best?.archive.count ?? 0 { best = copy }
        }
        if best == nil, !isHere {
            throw DRError(
                .notFound, "\(missing.message), neither here nor at a cluster that answers", hint: missing.hint)
        }
        return best
    }

    /// Brings the journal to what clusters know of a run, whoever carried it on meanwhile. Returns what a person should hear of it.
    /// `ends`: only to put the run down, or to undo it.
    func adopt(_ run: RunID, _ journal: any Journal, _ word: TakeUpWord, ends: Bool) throws -> String? {
        // Runs that are simulated stand at no cluster.
        guard let journal = journal as? SQLiteJournal, let copy = try copyBeyond(journal, of: run) else { return nil }
        let taking = try believed(copy, word, ends)
        let count = try take(copy.archive, taking, into: journal)
        return "run \(run) is taken over from \(copy.owner), with \(count) records from \(copy.cluster)"
            + (taking != nil ? ", whose head nobody signed" : "")
            + "; where that process still lives and has locks, it is waited for, a minute at most"
    }

    // Where nothing is taken nobody needs to know why it would have been: the note would keep this host from signing a run of its own.
    private func take(_ archive: RunArchive, _ taking: UnsignedTaking?, into journal: SQLiteJournal) throws -> Int {
        guard let taking else { return try journal.take(archive) }
        let before = try unsignedRecords.taking(of: archive.header.id)
        try unsignedRecords.note(taking, of: archive.header.id)
        do { return try journal.take(archive) } catch {
            if before == nil { try unsignedRecords.forget(archive.header.id) }
            throw error
        }
    }

    /// A copy is believed that a run wrote, as far as signatures and gates tell. Returns what a person takes upon them.
    private func believed(_ copy: RunCopy, _ word: TakeUpWord, _ ends: Bool) throws -> UnsignedTaking? {
        let taking = try requireSigned(signed(copy), copy.archive, in: "\(copy.cluster)", word.unsigned)
        do { try admission.admit(copy.archive.header, copy.archive.records) } catch let error as DRError
            where ends && error.code == .notAllowed
        {
            // Its approvals may be those of another dr.yaml: no reason to leave it as it is.
        }
        return taking
    }

    /// All that is known of a run, here or at a cluster, as who takes it up would find it.
    func newest(_ run: RunID, _ word: TakeUpWord, ends: Bool) throws -> (header: RunHeader, records: [JournalRecord]) {
        if world.simulated != nil { return try recorded(run) }
        let journal = TextFile.exists(configuration.journal) ? try reading() : nil
        if let copy = try copyBeyond(journal, of: run) {
            _ = try believed(copy, word, ends)
            return (copy.archive.header, copy.archive.records)
        }
        return try recorded(run)
    }

    /// What is recorded of a run: here, or else at a cluster.
    func recorded(_ run: RunID) throws -> (header: RunHeader, records: [JournalRecord]) {
        do {
            let journal: any Journal = try history() ?? reading()
            return (try journal.header(of: run), try journal.records(of: run))
        } catch let error as DRError where error.code == .notFound {
            do {
                guard let copy = try copyBeyond(nil, of: run) else { throw error }
                return (copy.archive.header, copy.archive.records)
            } catch let other as DRError where other.code == .notFound {
                // It names the runs that are here.
                throw error
            }
        }
    }
}
