/// Which Kubernetes object: group, kind, namespace and name.
public struct ObjectKey: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The API group without the version; empty for the core group.
    public let group: String
    public let kind: String
    /// Nil for objects of the whole cluster.
    public let namespace: String?
    public let name: String

    public init(group: String = "", kind: String, namespace: String? = nil, name: String) {
        self.group = group
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// `StatefulSet shop-db/pg`, `PersistentVolume pg-data`.
    public var description: String { "\(kind) \(namespace.map { $0 + "/" } ?? "")\(name)" }

    public static func < (a: ObjectKey, b: ObjectKey) -> Bool {
        (a.namespace ?? "", a.kind, a.name, a.group) < (b.namespace ?? "", b.kind, b.name, b.group)
    }
}
