/// Which objects of an application are not copied: those of one of these kinds, or with one of these labels.
public struct Exclusion: Hashable, Sendable, Codable {
    public var kinds: [String]
    public var labels: [String: String]

    public init(kinds: [String] = [], labels: [String: String] = [:]) {
        self.kinds = kinds
        self.labels = labels
    }
}

/// What differs in an application's manifests at one cluster: an address, a registry, a class. Made when a recovery point goes live there, and undone when the
/// application is copied from there.
public struct Transform: Hashable, Sendable, Codable {
    public enum Operation: Hashable, Sendable, Codable {
        /// The value becomes this one; a missing key is inserted.
        case set(String)
        /// Every occurrence of a text in the value becomes another.
        case replace(String, with: String)
        case delete
    }

    public let cluster: ClusterName
    public let kind: String
    /// Nil = every object of the kind.
    public let name: String?
    /// As it was written; see `path`.
    public let pathText: String
    public let operation: Operation

    public init(at cluster: ClusterName, kind: String, name: String? = nil, path: String, _ operation: Operation) {
        self.cluster = cluster
        self.kind = kind
        self.name = name
        pathText = path
        self.operation = operation
    }

    /// Keys and indices of lists; `*` stands for every item. Written `spec.rules.*.host`, or with keys that hold dots as in a JSON pointer:
    /// `/metadata/annotations/a.b~1c`.
    public var path: [String] { Self.path(pathText) }

    public static func path(_ text: String) -> [String] {
        guard text.hasPrefix("/") else { return text.split(separator: ".").map(String.init) }
        return text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { step in
            step.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
                .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
        }
    }

    /// A path as a JSON pointer, which `path` reads back.
    public static func pointer(_ path: [String]) -> String {
        path.map { step in
            "/"
                + step.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }.joined()
    }

    public func concerns(_ key: ObjectKey) -> Bool { key.kind == kind && (name == nil || name == key.name) }
}
