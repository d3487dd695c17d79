/// One change as plans, runs and reports name it: one per object change, one per volume operation; never bytes, ids, epochs or times.
///
/// Points stand as `rp#1`, `rp#2` ...: the numbers are given by the run in the order in which it meets the points of an application.
public struct Effect: Hashable, Sendable, Codable {
    /// The word it begins with; see `EffectVerb`.
    public let verb: EffectVerb
    public let kind: String
    public let namespace: String?
    public let name: String
    public let from: String?
    public let to: String?
    /// Nil for what happens outside the clusters.
    public let cluster: ClusterName?

    public init(
        _ verb: EffectVerb, kind: String, namespace: String? = nil, name: String, from: String? = nil, to: String? = nil,
        at cluster: ClusterName
    ) {
        self.verb = verb
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.from = from
        self.to = to
        self.cluster = cluster
    }

    public init(_ verb: EffectVerb, _ key: ObjectKey, from: String? = nil, to: String? = nil, at cluster: ClusterName) {
        self.init(verb, kind: key.kind, namespace: key.namespace, name: key.name, from: from, to: to, at: cluster)
    }

    /// A call outside: `call exec psql`, `call POST https://lb.example.com/pools/a`, `call notify oncall`. Arguments and bodies are no part of it.
    public init(calling kind: String, _ name: String) {
        verb = .call
        self.kind = kind
        self.name = name
        namespace = nil
        from = nil
        to = nil
        cluster = nil
    }

    /// `scale StatefulSet shop-db/pg 0->1 @west`, `publish RecoveryPoint ledger rp#1 @west`.
    public var text: String {
        var text = "\(verb.rawValue) \(kind) \(namespace.map { $0 + "/" } ?? "")\(name)"
        switch (from, to) {
        case (let from?, let to?): text += " \(from)->\(to)"
        case (nil, let to?): text += " \(to)"
        case (let from?, nil): text += " \(from)"
        case (nil, nil): break
        }
        return cluster.map { "\(text) @\($0)" } ?? text
    }
}

/// The closed list of words an effect's text begins with.
public enum EffectVerb: String, Hashable, Sendable, Codable, CaseIterable {
    case create, patch, delete
    /// Replicas of a workload.
    case scale
    /// A CronJob or a schedule held, or going on again.
    case suspend, resume
    /// A volume frozen at the source; a point's data and manifests verified and listed at the destination; a volume made from a point.
    case capture, publish, materialise
    /// A staged volume takes the place of the live one.
    case swap
    /// A drill's volume is removed.
    case discard
    /// What a deposed cluster wrote in a volume by itself is set aside and stays, though another takes its place.
    case keep
    /// An older epoch loses the right to write; the application is live at this cluster from here on.
    case fence, activate
    /// A program run, a request sent, people told.
    case call
}
