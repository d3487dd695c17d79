public import DRModel
internal import DRSupport

/// The commands that start, stop and ask the real processes of an embedded cluster's workloads. They run without a shell, as the host's own user.
public struct WorkloadCommands: Sendable, Equatable {
    /// Words in braces are replaced: `{namespace}` `{kind}` `{name}` `{replicas}`.
    public let start: [String]
    public let stop: [String]
    /// Exit status 0 = ready. Empty: what was started counts as ready.
    public let ready: [String]
    /// Starts a drill's clone, whose `{namespace}` is not the real one's. Empty: clones are manifests without processes.
    public let drill: [String]
    /// Run by the cluster's agent for an application that it stopped; `{application}` is replaced. Empty: nothing more is done.
    public let fence: [String]
    /// Where they run: the folder of dr.yaml.
    public let workingDirectory: StorePath
    /// How long one command may take.
    public let timeout: Duration

    /// Throws `configuration` when start or stop is empty: half of them would leave an application running that was reported stopped.
    public init(
        start: [String], stop: [String], ready: [String] = [], drill: [String] = [], fence: [String] = [], workingDirectory: StorePath,
        timeout: Duration = .seconds(60)
    ) throws(DRError) {
        for (name, command) in [("start", start), ("stop", stop)] where command.first?.isEmpty ?? true {
            throw DRError(.configuration, "workloads.\(name) is missing", hint: "start and stop are needed together")
        }
        self.start = start
        self.stop = stop
        self.ready = ready
        self.drill = drill
        self.fence = fence
        self.workingDirectory = workingDirectory
        self.timeout = timeout
    }

    func arguments(_ action: WorkloadAction, for key: ObjectKey, replicas: Int) -> [String] {
        let template = template(action)
        let words = ["{namespace}": key.namespace ?? "", "{kind}": key.kind, "{name}": key.name, "{replicas}": String(replicas)]
        return template.map { Self.filled($0, words) }
    }

    private func template(_ action: WorkloadAction) -> [String] {
        switch action {
        case .start: start
        case .stop: stop
        case .ready: ready
        case .startClone: drill
        // Only a command that is told the namespace can tell a clone from what it is a clone of.
        case .stopClone: Self.tellsApart(stop) ? stop : drill
        case .readyClone: Self.tellsApart(ready) ? ready : []
        }
    }

    private static func tellsApart(_ template: [String]) -> Bool { template.contains { $0.contains("{namespace}") } }

    // One pass from left to right: what was filled in is not looked at again.
    private static func filled(_ template: String, _ words: [String: String]) -> String {
        var result = ""
        var rest = Substring(template)
        while let brace = rest.firstIndex(of: "{") {
            result += rest[..<brace]
            rest = rest[brace...]
            if let word = words.first(where: { rest.hasPrefix($0.key) }) {
                result += word.value
                rest = rest.dropFirst(word.key.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result + rest
    }
}

extension DirectoryCluster {
    /// Commands of workloads at one time.
    private static var width: Int { 8 }

    public func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        try folder.reach {}
        return try run(action, object, replicas)
    }

    public func perform(_ action: WorkloadAction, _ workloads: [(object: ManifestObject, replicas: Int)]) async throws -> [WorkloadState] {
        try folder.reach {}
        guard self.workloads != nil else { return workloads.map { _ in .virtual } }
        guard !workloads.isEmpty else { return [] }
        let threads = Workers("workloads", width: min(Self.width, workloads.count))
        defer { threads.stop() }
        let ended = Lock<[Int: Result<WorkloadState, any Error>]>([:])
        let count = workloads.count
        await withCheckedContinuation { continuation in
            for (index, (object, replicas)) in workloads.enumerated() {
                _ = threads.submit {
                    let result = Result { try self.run(action, object, replicas) }
                    let isLast = ended.withLock { ended in
                        ended[index] = result
                        return ended.count == count
                    }
                    if isLast { continuation.resume() }
                }
            }
        }
        let results = ended.withLock { $0 }
        return try workloads.indices.compactMap { try results[$0]?.get() }
    }

    private func run(_ action: WorkloadAction, _ object: ManifestObject, _ replicas: Int) throws -> WorkloadState {
        guard let workloads else { return .virtual }
        let isClone = action == .startClone || action == .stopClone || action == .readyClone
        if isClone, workloads.drill.isEmpty { return .virtual }
        let arguments = workloads.arguments(action, for: object.key, replicas: replicas)
        if arguments.isEmpty { return .ready }
        let ended = try Command(arguments, in: workloads.workingDirectory, timeout: workloads.timeout).run()
        if action == .ready || action == .readyClone { return ended.succeeded ? .ready : .starting }
        guard ended.succeeded else { throw failure(action, object.key, arguments, ended) }
        return action == .start || action == .startClone ? .starting : .stopped
    }

    private func failure(_ action: WorkloadAction, _ key: ObjectKey, _ arguments: [String], _ ended: Command.Ending) -> DRError {
        DRError(
            .workloadFailed, "\(key) does not \(action.rawValue) at \(name): `\(arguments.joined(separator: " "))` \(ended.summary)",
            hint: "run the command by hand in \(workloads?.workingDirectory.description ?? "the folder of dr.yaml")",
            details: ["command": .list(arguments.map(Value.string)), "code": .integer(Int64(ended.code)), "output": .string(ended.output)])
    }
}
