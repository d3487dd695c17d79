import DRHost
import DRModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a command ended, as the shell sees it: the only place where outcomes and errors become numbers.
enum ExitStatus: Int32 {
    case done = 0
    case failed = 1
    /// Usage, configuration or runbook error, found before the first effect.
    case usage = 2
    /// At a gate or window, or an outside call is `unknown`.
    case waiting = 3
    case targetMissed = 4
    /// Before the first effect: a lock, a fence, a check, a policy.
    case refused = 5
    case partial = 6
    case journalDamaged = 7
    case unreachable = 8
    case stopped = 9
    /// A signal put the run down: it can be taken up again.
    case interrupted = 130
    case terminated = 143

    init(_ report: RunReport) {
        switch report.outcome {
        case .succeeded: self = .done
        case .targetMissed: self = .targetMissed
        case .waiting: self = .waiting
        case .partial: self = .partial
        case .stopped: self = .stopped
        case .failed, .refused:
            let own: ExitStatus = report.outcome == .refused ? .refused : .failed
            guard let error = report.error else {
                self = own
                return
            }
            switch ExitStatus(error) {
            case .unreachable: self = .unreachable
            case .journalDamaged: self = .journalDamaged
            // A mistake in the runbook is one of usage only while nothing was done.
            case .usage where report.effects.isEmpty: self = .usage
            default: self = own
            }
        }
    }

    /// An error that came without a report: nothing was done, unless it says so.
    init(_ error: any Error) {
        switch error {
        case is PartlyApplied: self = .partial
        case is ConfigurationError: self = .usage
        case let error as DRError: self.init(error)
        default: self = .failed
        }
    }

    private init(_ error: DRError) {
        switch error.code {
        case .invalidInput, .configuration, .unknownName, .notFound, .runbook, .script: self = .usage
        case .checksFailed where Self.saysUnreachable(error.details): self = .unreachable
        case .fenced, .locked, .conflict, .foreignObject, .checksFailed, .dataLoss, .notAllowed, .noRecoveryPoint: self = .refused
        case .journalDamaged: self = .journalDamaged
        case .sourceUnreachable, .clusterUnreachable, .storeUnreachable: self = .unreachable
        case .waiting, .unknownOutcome, .rejected, .gateTimeout: self = .waiting
        case .stopped: self = .stopped
        default: self = .failed
        }
    }

    // A check that found a cluster gone: unreachable, not failed.
    private static func saysUnreachable(_ checks: Value?) -> Bool {
        checks?.list?.contains { $0["id"].string == "clusters-reachable" && $0["state"].string == "failed" } ?? false
    }

    static let summary = """
          0  done
          1  failed
          2  usage, configuration or runbook error, before the first effect
          3  waiting for a person, or an outcome is unknown
          4  succeeded, but a target was missed
          5  refused before the first effect
          6  partial: something is half done, read the list
          7  journal damaged
          8  cluster unreachable
          9  stopped by a person, or put down at a deadline or for its data's age
          130, 143  interrupted, can be resumed
        """

    func exit() -> Never {
        fflush(nil)
        // Not `exit`: what libraries clean up then (OpenSSL's state of each thread, under libcurl) races with threads that are just ending, and a run that
        // succeeded must not end with a crash.
        _exit(rawValue)
    }
}
