internal import DRActions
internal import DRJournal
internal import DRModel
internal import DRReplication

/// What this host took into its journal though nobody had signed it: `unsigned/RUN` in the state folder. It is written before the records are taken, so that there is no moment
/// in which they could be signed as if this host had seen them come about.
struct UnsignedRecords: Sendable {
    let state: String

    private func file(_ run: RunID) -> String { "\(state)/unsigned/\(run)" }

    func taking(of run: RunID) throws -> UnsignedTaking? {
        guard let text = try TextFile.read(file(run), shown: file(run)) else { return nil }
        guard let taking = try? Value(json: text).decoded(as: UnsignedTaking.self) else {
            throw DRError(.damaged, "\(file(run)) cannot be read", hint: "it says why a record was taken that nobody had signed")
        }
        return taking
    }

    func forget(_ run: RunID) throws { try SystemStoreIO().removeFile(StorePath(file(run))) }

    func note(_ taking: UnsignedTaking, of run: RunID) throws {
        try StateFile.replace(file(run), with: Value(encoding: taking).json() + "\n")
    }
}

extension SQLiteJournal {
    /// All that the archive says of its run stands here already.
    func holds(_ archive: RunArchive) throws -> Bool {
        do {
            return try hash(of: archive.header.id, after: archive.count) == archive.hash
        } catch let error as DRError where error.code == .notFound {
            return false
        }
    }
}

extension Host {
    var unsignedRecords: UnsignedRecords { UnsignedRecords(state: configuration.state) }

    /// Records whose head nobody signed are taken only where a person says why. `reason`: nil where nobody said anything. Throws `not-allowed`, `invalid-input`.
    func requireSigned(_ signed: HeadSigned, _ archive: RunArchive, in place: String, _ reason: String?) throws -> UnsignedTaking? {
        guard signed == .missing else { return nil }
        guard let reason else {
            throw DRError(
                .notAllowed,
                "nobody signed the head of run \(archive.header.id) in \(place), though \(configuration.file) names keys under signing: "
                    + "who can write there can have written it",
                hint:
                    "nothing was taken or changed. Ask \(archive.header.who), who started the run, and look at what it says; `--unsigned REASON` takes "
                    + "it all the same: the reason stands in the record, and this host signs nothing of the run",
                details: ["run": .string(archive.header.id.text)])
        }
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw DRError(
                .invalidInput, "--unsigned: expected the reason, found nothing",
                hint: "it stands in the record and in the report; nothing was taken")
        }
        return UnsignedTaking(who: identity.who, reason: reason, records: archive.count)
    }

    private func isHere(_ run: RunID) throws -> Bool {
        do { return try history()?.header(of: run) != nil } catch let error as DRError where error.code == .notFound { return false }
    }

    /// What of a run's record nobody vouches for: as its own records say, or this host.
    func unsigned(_ run: RunID, _ records: [JournalRecord]) throws -> UnsignedTaking? {
        try unsignedRecords.taking(of: run) ?? UnsignedTaking.recorded(in: records)
    }

    /// The signature of a record's end; nil where this host signs nothing, and of what stands at a cluster alone, or was taken though nobody had signed it.
    func signature(of head: HeadStatement, _ records: [JournalRecord]) throws -> String? {
        guard try unsigned(head.run, records) == nil, try isHere(head.run) else { return nil }
        return try headSignatures.sign(head)
    }
}
