/// One object of a cluster, or those of a kind.
public struct ObjectOrder: Sendable, Codable, Hashable {
    public let cluster: ClusterName
    /// `StatefulSet`, or with its group where kinds of several groups have one name: `Backup.velero.io`.
    public let kind: String
    public var namespace: String?
    /// Nil = all.
    public var name: String?

    public init(cluster: ClusterName, kind: String, namespace: String? = nil, name: String? = nil) {
        self.cluster = cluster
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    public func selects(_ key: ObjectKey) -> Bool {
        let full = key.group.isEmpty ? key.kind : "\(key.kind).\(key.group)"
        return (kind == key.kind || kind == full) && (namespace == nil || namespace == key.namespace) && (name == nil || name == key.name)
    }

    /// As in messages.
    public var text: String { "\(kind) \(namespace.map { $0 + "/" } ?? "")\(name ?? "*")" }
}

/// A change of single values in one object of an application.
public struct PatchOrder: Sendable, Codable, Hashable {
    public let object: ObjectOrder
    public let application: ApplicationName
    /// A map like the object: what it names is set, null removes; lists are named by their indices.
    public let patch: Value

    public init(object: ObjectOrder, application: ApplicationName, patch: Value) {
        self.object = object
        self.application = application
        self.patch = patch
    }
}

public struct PatchReport: Sendable, Codable, Hashable {
    public let changed: Bool
    /// The patch that takes it back.
    public let inverse: Value

    public init(changed: Bool, inverse: Value) {
        self.changed = changed
        self.inverse = inverse
    }
}
