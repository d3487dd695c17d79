public import DRModel
internal import DRSupport

/// The commands that quiet an application of an embedded cluster for a snapshot, and let it go on. They run without a shell, as the host's own user.
public struct ClusterRules: Sendable, Equatable {
    /// A program and its arguments; `{application}` is replaced.
    public let commands: [RuleName: [String]]
    /// Where they run: the folder of dr.yaml.
    public let workingDirectory: StorePath
    /// How long one may take.
    public let timeout: Duration

    public init(commands: [RuleName: [String]], workingDirectory: StorePath, timeout: Duration = .seconds(60)) {
        self.commands = commands
        self.workingDirectory = workingDirectory
        self.timeout = timeout
    }
}

/// An application that is held for a snapshot, noted so that whoever comes after a dead process lets it go.
private struct Hold: Codable {
    var post: RuleName?
    var since: Instant
}

extension DRError {
    /// Letting the application go failed as well: both are told.
    func with(_ second: DRError, holding application: ApplicationName, at cluster: ClusterName) -> DRError {
        DRError(
            code, "\(message); and \(application) is still held at \(cluster): \(second.message)", hint: second.hint, location: location,
            details: details)
    }
}

extension DirectoryCluster {
    public var rules: [RuleName]? { ruleCommands?.commands.keys.sorted() ?? [] }

    public func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws {
        try folder.reach {
            let note = try Value(encoding: Hold(post: rules.post, since: clock.now())).json() + "\n"
            try folder.replace(holdPath(application), with: Array(note.utf8))
        }
        failpoint("rules.noted")
        guard let pre = rules.pre else { return }
        do { try run(pre, application) } catch let first as DRError {
            do { _ = try await letGo(application) } catch let second as DRError { throw first.with(second, holding: application, at: name) }
            throw first
        }
    }

    public func letGo(_ application: ApplicationName) async throws -> Bool {
        let path = holdPath(application)
        guard let text = try folder.reach({ try folder.text(path) }) else { return false }
        guard let hold = try? Value(json: text).decoded(as: Hold.self) else {
            throw DRError(
                .damaged, "\(path) is damaged: nothing is known of what \(application) is held by",
                hint: "see that \(application) runs at \(name), then remove the file")
        }
        if let post = hold.post { try run(post, application) }
        failpoint("rules.let-go")
        try folder.reach { try folder.remove(path) }
        return true
    }

    public func onHold() async throws -> [ApplicationName] {
        let names = try folder.reach { try folder.names(in: holds) }
        return names.compactMap { $0.hasSuffix(".json") ? try? ApplicationName(String($0.dropLast(5))) : nil }
    }

    private var holds: StorePath { folder.own / "holds" }
    private func holdPath(_ application: ApplicationName) -> StorePath { holds / "\(application).json" }

    private func run(_ rule: RuleName, _ application: ApplicationName) throws {
        // A hold may be older than dr.yaml.
        guard let rules = ruleCommands, let command = rules.commands[rule] else { throw unknownRule(rule) }
        let arguments = command.map {
            $0.split(separator: "{application}", omittingEmptySubsequences: false).joined(separator: application.text)
        }
        let ended = try Command(arguments, in: rules.workingDirectory, timeout: rules.timeout).run()
        guard !ended.succeeded else { return }
        throw DRError(
            .workloadFailed, "the rule \(rule) of \(application) failed at \(name): `\(arguments.joined(separator: " "))` \(ended.summary)",
            hint: "run the command by hand in \(rules.workingDirectory)",
            details: ["command": .list(arguments.map(Value.string)), "code": .integer(Int64(ended.code)), "output": .string(ended.output)])
    }
}
