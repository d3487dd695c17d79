internal import DRSupport

/// The effects of one action, in their order, as the ports report them; also what is told when the action fails half way.
public final class EffectLog: Sendable {
    private let recorded = Lock<[Effect]>([])

    public init() {}

    public func record(_ effects: [Effect]) { recorded.withLock { $0 += effects } }
    public func record(_ effect: Effect) { record([effect]) }
    public var effects: [Effect] { recorded.withLock { $0 } }
}

/// `rp#1`, `rp#2` ...: the names of recovery points in effects, counted per application in the order in which a run meets them. A plan and its run meet them
/// in the same order, whatever the points' real ids are.
public final class PointSymbols: Sendable {
    private let met: Lock<[String: [PointID]]>

    public init(_ met: [String: [PointID]] = [:]) { self.met = Lock(met) }

    public func symbol(for point: PointID, of application: ApplicationName) -> String {
        met.withLock { met in
            var points = met[application.text] ?? []
            if let index = points.firstIndex(of: point) { return "rp#\(index + 1)" }
            points.append(point)
            met[application.text] = points
            return "rp#\(points.count)"
        }
    }

    /// For the journal: a resumed run goes on with the same names.
    public var table: [String: [PointID]] {
        get { met.withLock { $0 } }
    }

    public func restore(_ table: [String: [PointID]]) { met.withLock { $0 = table } }
}
