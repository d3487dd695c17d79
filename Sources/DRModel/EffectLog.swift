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
    private struct State {
        var met: [String: [PointID]]
        /// Applications with names that no record holds yet.
        var fresh: Set<String> = []
    }

    private let state: Lock<State>
    private let isRecorded: Bool

    /// `isRecorded`: a journal keeps them; nobody resumes a plan.
    public init(_ met: [String: [PointID]] = [:], isRecorded: Bool = true) {
        state = Lock(State(met: met))
        self.isRecorded = isRecorded
    }

    public func symbol(for point: PointID, of application: ApplicationName) -> String {
        state.withLock { state in
            if let index = state.met[application.text]?.firstIndex(of: point) { return "rp#\(index + 1)" }
            state.met[application.text, default: []].append(point)
            if isRecorded { state.fresh.insert(application.text) }
            return "rp#\(state.met[application.text]?.count ?? 0)"
        }
    }

    /// For the journal: the names of applications of which it does not hold all, so that a resumed run goes on with the same.
    public var unrecorded: [String: [PointID]] {
        state.withLock { state in Dictionary(uniqueKeysWithValues: state.fresh.map { ($0, state.met[$0] ?? []) }) }
    }

    /// A record holds these names now.
    public func recorded(_ table: [String: [PointID]]) {
        state.withLock { state in
            for (application, points) in table where state.met[application]?.count == points.count { state.fresh.remove(application) }
        }
    }

    /// What a record holds: all names of some applications.
    public func restore(_ table: [String: [PointID]]) { state.withLock { $0.met.merge(table) { _, recorded in recorded } } }
}
