import ArgumentParser
import DRHost
import DRModel

struct Verify: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verifies a run's record: here and against the clusters, or an exported file without either.",
        discussion: """
            A changed, missing, moved or foreign record ends with status 7, and the first bad one is named. What clusters have noted tells whether the end \
            was cut off; after that it is "not anchored". Where dr.yaml names keys under `signing`, it says who signed each head; one that nobody signed anchors \
            nothing, and a wrong signature is damage. Gates are decided again by the approvals in the record: 7 where they were not passed by these, 5 where dr.yaml \
            knows or counts them no more and nobody signed the record.

            EXAMPLE
              drrunbook verify 20260301-021500-3f2a
              drrunbook verify evidence/20260301-021500-3f2a.run
            """)

    @Argument(help: "A run, or a file that `drrunbook export` wrote.", completion: .file())
    var record: String
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        if let run = try? RunID(record), !record.contains("/"), !record.hasSuffix(".run") {
            return try await withHost { host in tell(try host.verify(run), output) }
        }
        return tell(try Host.verify(file: record, configuration: Configuration.loadIfThere(common.config)), output)
    }

    private func words(_ signed: HeadSigned) -> String {
        switch signed {
        case .notAsked: ""
        case .by(let host, let fingerprint): ", signed by \(host) (\(fingerprint))"
        case .missing: ", NOT SIGNED though dr.yaml names keys"
        case .wrong: ", with a wrong signature"
        }
    }

    private func value(_ signed: HeadSigned) -> Value {
        switch signed {
        case .notAsked: .null
        case .by(let host, let fingerprint): ["by": .string(host), "key": .string(fingerprint)]
        case .missing: "missing"
        case .wrong: "wrong"
        }
    }

    private func tell(_ check: RecordCheck, _ output: Output) -> ExitStatus {
        let anchors = check.anchors.map { "\($0.records) at \($0.cluster)\(words($0.signed))" }.joined(separator: ", ")
        output.say("run \(check.run): \(check.records) records, complete, head \(check.hash)\(words(check.signed))")
        if !check.isClosed {
            output.say("complete up to record \(check.records), tail not anchored: the file does not say where it ends")
        } else if check.anchored < check.records {
            output.say("complete up to \(check.records), tail not anchored\(anchors.isEmpty ? "" : " after \(anchors)")")
        } else {
            output.say("anchored: \(anchors)")
        }
        if !check.silent.isEmpty { output.say("not asked, for it does not answer: \(check.silent.map(\.text).joined(separator: ", "))") }
        if let unsigned = check.unsigned { output.warning(unsigned.text) }
        for call in check.settledCalls { output.say("settled by a person at \(Runs.time(call.time)): \(call.text)") }
        if let doubt = check.doubt { output.warning("\(doubt)") }
        output.object(
            "record.verified",
            [
                ("run", .string(check.run.text)), ("records", .integer(check.records)), ("head", .string(check.hash)),
                ("anchored", .integer(check.anchored)), ("closed", .bool(check.isClosed)),
                ("silent", .list(check.silent.map { .string($0.text) })), ("doubt", JSONLines.text(check.doubt?.message)),
                (
                    "anchors",
                    .list(
                        check.anchors.map {
                            ["cluster": .string($0.cluster.text), "records": .integer($0.records), "signed": value($0.signed)]
                        })
                ),
                ("signed", value(check.signed)),
                ("unsigned", JSONLines.text(check.unsigned?.text)),
                (
                    "settled",
                    .list(
                        check.settledCalls.map {
                            [
                                "key": .string($0.key), "word": .string($0.word), "who": JSONLines.text($0.who), "time": .instant($0.time),
                                "reason": JSONLines.text($0.reason),
                            ]
                        })
                ),
            ])
        guard check.isClosed else { return .journalDamaged }
        return check.doubt.map { ExitStatus($0) } ?? .done
    }
}

struct Export: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a run's record to a file that can be verified and imported anywhere.",
        discussion: """
            EXAMPLE
              drrunbook export 20260301-021500-3f2a -o evidence.run
            """)

    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @Option(name: [.customShort("o"), .customLong("out")], help: ArgumentHelp("The file; RUN.run if not said.", valueName: "file"))
    var out: String?
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let file = out ?? "\(run).run"
            try host.export(run, to: file)
            output.say("written: \(file)")
            output.object("exported", [("run", .string(run.text)), ("file", .string(file))])
            return .done
        }
    }
}

struct Import: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes an exported run into the journal.",
        discussion: """
            EXAMPLE
              drrunbook import evidence.run
            """)

    @Argument(help: "A file that `drrunbook export` wrote.", completion: .file())
    var file: String
    @Option(
        name: .long,
        help: ArgumentHelp("Take it though nobody signed how it ends and dr.yaml names keys, for this reason.", valueName: "reason"))
    var unsigned: String?
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let (run, records, signed, doubt) = try host.importRun(file, unsigned: unsigned)
            if signed == .missing { output.warning("\(file): nobody signed the end of the record, though dr.yaml names keys") }
            if let doubt { output.warning("\(doubt)") }
            output.say(records == 0 ? "run \(run) was here already" : "run \(run): \(records) records taken")
            output.object("imported", [("run", .string(run.text)), ("records", .integer(Int64(records)))])
            return .done
        }
    }
}
