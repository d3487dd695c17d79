internal import DRSupport

/// Who may approve: the people and groups of dr.yaml.
public struct ApprovalRules: Hashable, Sendable, Codable {
    public struct Person: Hashable, Sendable, Codable {
        public let name: String
        /// An ssh public key: `ssh-ed25519 AAAA...`, without the comment.
        public let key: String?
        /// The accounts this person starts runs from: `alice@db-host`, or `alice` on any host.
        public let accounts: [String]

        /// `accounts`: the one of the same name if not said.
        public init(name: String, key: String?, accounts: [String]? = nil) {
            self.name = name
            self.key = key
            self.accounts = accounts ?? [name]
        }

        /// Does this person act from `account`, such as `alice@db-host`?
        public func uses(_ account: String) -> Bool {
            accounts.contains { $0 == account || $0 == account.split(separator: "@").first.map(String.init) }
        }
    }

    public var people: [Person]
    public var groups: [String: [String]]

    public init(people: [Person] = [], groups: [String: [String]] = [:]) {
        self.people = people
        self.groups = groups
    }

    public func person(_ name: String) -> Person? { people.first { $0.name == name } }

    /// Somebody has a key: then only what is signed counts.
    public var demandsSignatures: Bool { people.contains { $0.key != nil } }

    /// Who could be asked by either of both.
    public mutating func add(_ others: ApprovalRules) {
        people += others.people.filter { person($0.name) == nil }
        groups.merge(others.groups) { Set($0 + $1).sorted() }
    }

    /// SHA-256 of the people and groups, in whatever order they stand.
    public var digest: String {
        get throws {
            var sorted = self
            sorted.people.sort { $0.name < $1.name }
            sorted.groups = groups.mapValues { $0.sorted() }
            return Digest.hex(of: try Value(encoding: sorted).json())
        }
    }

    /// What became of `before`, for a person to read: who is new, gone or has another key.
    public func changes(since before: ApprovalRules) -> [String] {
        var list: [String] = []
        for name in Set(people.map(\.name) + before.people.map(\.name)).sorted() {
            switch (before.person(name), person(name)) {
            case (_?, nil): list.append("\(name) is gone")
            case (nil, _?): list.append("\(name) is new")
            case (let then?, let now?):
                if then.key != now.key {
                    list.append("\(name) has \(now.key == nil ? "no key any more" : then.key == nil ? "a key" : "another key")")
                }
                if then.accounts != now.accounts { list.append("\(name) has other accounts") }
            default: continue
            }
        }
        for name in Set(groups.keys).union(before.groups.keys).sorted() where groups[name]?.sorted() != before.groups[name]?.sorted() {
            list.append("the group \(name) has other people")
        }
        return list
    }
}

/// What one person said at a gate, as it stands in the journal.
public struct Approval: Hashable, Sendable, Codable {
    public enum Decision: String, Hashable, Sendable, Codable { case approve, reject }

    public let statement: GateStatement
    /// How the person was identified: the fingerprint of the key whose signature was verified. Nil: unverified, and told so everywhere.
    public let key: String?
    /// The account it was given from: `alice@db-host`.
    public let account: String
    /// As ssh-keygen writes it, so that it can be verified again.
    public let signature: String?

    public init(statement: GateStatement, key: String?, account: String, signature: String?) {
        self.statement = statement
        self.key = key
        self.account = account
        self.signature = signature
    }

    /// `alice (key SHA256:...)`, `alice (unverified, from root@host)`.
    public var identity: String { "\(statement.person) (\(key.map { "key \($0)" } ?? "unverified, from \(account)"))" }
}

/// What is signed: the decision, and through `record` everything that led to the gate.
public struct GateStatement: Hashable, Sendable, Codable {
    public let run: RunID
    public let gate: String
    /// The gate's place in the run.
    public let place: String
    public let decision: Approval.Decision
    public let person: String
    /// Of what is run: SHA-256 of the run's header, which holds texts, parameters, configuration and the plan it was started from.
    public let plan: String
    /// The hash of the gate's own record: of what was shown, and of every record before it.
    public let record: String
    public let comment: String?
    /// Why one person passes it alone.
    public let breakGlass: String?

    public init(
        run: RunID, gate: String, place: String, decision: Approval.Decision, person: String, plan: String, record: String,
        comment: String?,
        breakGlass: String?
    ) {
        self.run = run
        self.gate = gate
        self.place = place
        self.decision = decision
        self.person = person
        self.plan = plan
        self.record = record
        self.comment = comment
        self.breakGlass = breakGlass
    }

    public static let namespace = "drrunbook-approval"

    /// Byte for byte what is signed. Texts are JSON strings, so that none can look like another line.
    public var text: String {
        func line(_ name: String, _ value: String?) -> String { "\(name): \(value.map { Value.string($0).json() } ?? "null")\n" }
        return "drrunbook-approval-1\n" + line("run", run.text) + line("gate", gate) + line("place", place)
            + line("decision", decision.rawValue) + line("person", person) + line("plan", plan) + line("record", record)
            + line("comment", comment) + line("break-glass", breakGlass)
    }
}
