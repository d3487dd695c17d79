/// What dr.yaml asks of an application that goes live, as it was when a run ended.
public struct RecoveryTargets: Sendable, Codable, Hashable {
    public let rpo: Duration?
    public let rto: Duration?

    /// Nil where nothing is asked.
    public init?(_ application: Application) {
        guard application.rpo != nil || application.rto != nil else { return nil }
        rpo = application.rpo
        rto = application.rto
    }

    /// Nil where nothing is asked. What is not known, or known as an upper bound beyond it, misses it.
    public func isMet(rpo found: RecoveryPointObjective?) -> Bool? {
        rpo.map { target in
            switch found {
            case .exact(let age), .atMost(let age): age <= target
            default: false
            }
        }
    }

    /// Nil where nothing is asked, or nobody knows. `atLeast`: it may have taken longer, so within the target says nothing.
    public func isMet(rto found: Duration?, atLeast: Bool) -> Bool? {
        guard let rto, let found else { return nil }
        return found > rto ? false : atLeast ? nil : true
    }
}

extension RunReport.Item {
    public var isRPOMet: Bool? { targets?.isMet(rpo: rpo) }
    public var isRTOMet: Bool? { targets?.isMet(rto: rto, atLeast: rto_at_least == true) }
}
