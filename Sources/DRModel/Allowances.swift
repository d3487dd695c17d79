internal import DRSupport

/// What runbooks may reach outside the clusters, as dr.yaml says; nothing where nothing is said.
public struct Allowances: Sendable, Hashable {
    public struct Program: Sendable, Hashable {
        public let name: String
        /// Absolute.
        public let path: String
        /// One pattern an argument: `*` stands for any text without `/`, alone for any text, and alone at the end for any further arguments.
        public let arguments: [String]
        /// The names of variables that a call may set in its environment.
        public let environment: [String]
        public let location: SourceLocation?

        public init(name: String, path: String, arguments: [String], environment: [String] = [], location: SourceLocation? = nil) {
            self.name = name
            self.path = path
            self.arguments = arguments
            self.environment = environment
            self.location = location
        }
    }

    /// The beginning of URLs: scheme, host and port, and the first segments of the path.
    public struct Site: Sendable, Hashable {
        public let url: String
        public let location: SourceLocation?

        public init(url: String, location: SourceLocation? = nil) {
            self.url = url
            self.location = location
        }
    }

    public struct Secret: Sendable, Hashable {
        public let name: SecretName
        public let location: SourceLocation?

        public init(name: SecretName, location: SourceLocation? = nil) {
            self.name = name
            self.location = location
        }
    }

    /// Where people are told something.
    public struct Channel: Sendable, Hashable {
        public let name: String
        public let webhook: String
        public let token: SecretName?
        public let location: SourceLocation?

        public init(name: String, webhook: String, token: SecretName? = nil, location: SourceLocation? = nil) {
            self.name = name
            self.webhook = webhook
            self.token = token
            self.location = location
        }
    }

    public var programs: [Program] = []
    public var sites: [Site] = []
    public var secrets: [Secret] = []
    public var channels: [Channel] = []
    /// The file that says so, for messages.
    public var file = "dr.yaml"

    public init() {}

    /// SHA-256 of all that is allowed, wherever in the file it stands.
    public var digest: String {
        let words: Value = [
            "exec": .list(
                programs.map { program in
                    var words: [String: Value] = [
                        "name": .string(program.name), "path": .string(program.path), "args": .list(program.arguments.map(Value.string)),
                    ]
                    if !program.environment.isEmpty { words["env"] = .list(program.environment.sorted().map(Value.string)) }
                    return .map(words)
                }),
            "http": .list(sites.map { .string($0.url) }), "secrets": .list(secrets.map { .string($0.name.text) }),
            "notify": .list(
                channels.map {
                    ["name": .string($0.name), "webhook": .string($0.webhook), "token": $0.token.map { .string($0.text) } ?? .null]
                }),
        ]
        return Digest.hex(of: words.json())
    }
}
