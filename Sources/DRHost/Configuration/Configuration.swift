package import DRActions
public import DRModel
public import DRObjectStores

/// What a team's dr.yaml says, checked: every name it mentions exists, every path is absolute.
public struct Configuration: Sendable, Hashable {
    /// The file as it was given, for messages.
    public let file: String
    /// The folder that relative paths in the file begin from, and the working directory of workload commands.
    public let folder: String
    /// SHA-256 of the file's bytes.
    public let digest: String

    public var engine: EngineKind = .embedded
    /// The folder of the journal and of caches.
    public var state: String
    /// In the order of the file.
    public var clusters: [ClusterDeclaration] = []
    public var objectStores: [ObjectStoreDeclaration] = []
    public var inventory = Inventory()
    public var limits = RunbookLimits()
    public var allow = Allowances()
    public var approvals = ApprovalRules()
    /// Nil: the ends of records are not signed.
    public var signing: HeadKeys?
    /// Runbooks that `serve` runs by the clock.
    public var jobs: [JobDeclaration] = []

    init(file: String, folder: String, digest: String, state: String) {
        self.file = file
        self.folder = folder
        self.digest = digest
        self.state = state
        allow.file = file
    }

    /// The journal's file.
    public var journal: String { state + "/journal.sqlite" }
    /// Where `require` looks for modules.
    public var runbooks: String { folder + "/runbooks" }
}

public enum EngineKind: String, Sendable, Hashable, CaseIterable { case embedded, stork }

/// An embedded cluster: a directory, and the commands that start and stop real processes for its workloads.
public struct ClusterDeclaration: Sendable, Hashable {
    public let name: ClusterName
    public let directory: String
    /// A source that has lost its destination for so long stops its own workloads.
    public var selfFence: Duration?
    /// Names of hosts that go with the site, `*.east.example.com` among them: `plan --without` takes them as lost, too.
    public var hosts: [String] = []
    public var workloads: WorkloadDeclaration?
    /// Commands that quiet an application for a snapshot and let it go on; `{application}` stands for its name.
    public var rules: [RuleName: [String]] = [:]
}

/// Commands as argument lists, run without a shell; `{namespace} {kind} {name} {replicas}` stand for the workload's.
public struct WorkloadDeclaration: Sendable, Hashable {
    public var start: [String]
    public var stop: [String]
    /// Exit status 0 = ready. Nil: started is ready.
    public var ready: [String]?
    public var drill: [String]?
    /// Run by the cluster's agent for an application that it stopped.
    public var fence: [String]?
}

/// A runbook that `serve` runs by the clock. Nobody is there to say yes, so it may make nothing live; drills may.
public struct JobDeclaration: Sendable, Hashable {
    public let name: String
    /// Its file.
    public let runbook: String
    public let cron: String
    package let time: CronTime
    public let parameters: Value
}

/// A store: a folder or a bucket, perhaps encrypted, perhaps slowed down.
public struct ObjectStoreDeclaration: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case directory(String)
        case s3(S3Location)
    }

    /// Where a key is found when it is needed: an environment variable, or a file of the host's.
    public enum KeySource: Sendable, Hashable {
        case environment(String)
        case file(String)
    }

    public let name: StoreName
    public let kind: Kind
    /// The first one seals, all open. Empty: not encrypted.
    public var keys: [KeySource] = []
    /// A second, both ways together.
    public var bandwidth: ByteCount?

    /// Of a store that is a folder.
    public var directory: String? { if case .directory(let directory) = kind { directory } else { nil } }
}

/// What a run may use up before it is stopped.
public struct RunbookLimits: Sendable, Hashable {
    public var memory = ByteCount(64 << 20)
    /// Computing between two calls of the host.
    public var cpu: Duration = .seconds(10)
    public var deadline: Duration = .seconds(8 * 3600)
    public var output = ByteCount(10 << 20)
    public var branches = 1000
    public var records = 100_000

    public init() {}
}

/// Everything that is wrong with a dr.yaml, in the order of the file.
public struct ConfigurationError: Error, CustomStringConvertible, Sendable {
    /// Never empty.
    public let problems: [DRError]

    init(_ problems: [DRError]) {
        self.problems = problems.enumerated().sorted { a, b in
            (a.element.location?.line ?? 0, a.offset) < (b.element.location?.line ?? 0, b.offset)
        }.map(\.element)
    }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
