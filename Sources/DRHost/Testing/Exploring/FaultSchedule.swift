internal import DRActions
internal import DRModel
internal import DRSimulation
internal import DRSupport

/// Faults that are tried together, and the luck of everything else.
struct FaultSchedule: Sendable {
    var faults: [Fault]
    /// Faults by their numbers in what a run without them, or with the first, offers; from 1.
    var numbers: [Int]
    var pace: Int64

    /// Below `faultless` there are no faults in it.
    static let faultless: Int64 = 1 << 20

    var seed: Int64 {
        pace | (numbers.first.map { Int64($0) << 20 } ?? 0) | (numbers.count > 1 ? Int64(numbers[1]) << 40 : 0)
    }

    /// The numbers a seed stands for.
    static func read(_ seed: Int64) -> (numbers: [Int], pace: Int64) {
        let first = Int((seed >> 20) & 0xF_FFFF), second = Int((seed >> 40) & 0xFFF)
        return ([first, second].filter { $0 > 0 }, seed & (faultless - 1))
    }
}

/// What can go wrong in a run that was seen once.
enum FaultChoice {
    /// In the order of the run. `after`: only what comes after this many records.
    static func faults(_ records: [JournalRecord], commits: [PortCall: Int]) -> [Fault] {
        var faults: [Fault] = []
        var passed: [String: Int] = [:]
        for record in records where record.entry.kind == .intent {
            let place = ActionPlace(record.entry)
            passed[place.label, default: 0] += 1
            faults += Self.faults(at: place, nth: passed[place.label] ?? 1)
        }
        // Between two things that are done, and in the middle of one.
        for index in 0...records.count { faults.append(Fault(.crash, at: "journal", nth: index + 1, moment: .after)) }
        for (call, count) in commits.sorted(by: { ($0.key.place, $0.key.operation) < ($1.key.place, $1.key.operation) }) where call.isChange
        {
            for nth in 1...max(1, count) {
                faults.append(Fault(.crash, at: "\(call.place).\(call.operation)", nth: nth))
                faults.append(Fault(.crash, at: "\(call.place).\(call.operation)", nth: nth, moment: .after))
            }
        }
        return faults
    }

    private static func faults(at place: ActionPlace, nth: Int) -> [Fault] {
        func fault(_ kind: Fault.Kind, _ moment: Fault.Moment? = nil, code: ErrorCode? = nil, lasting: Fault.Lasting = .action) -> Fault {
            Fault(kind, at: "=" + place.label, nth: nth, moment: moment, code: code, lasting: lasting)
        }
        switch place.verb {
        case "sleep", "window": return []
        case "approve": return [fault(.reject), fault(.timeout)]
        case "exec", "http", "notify":
            return [
                fault(.error, code: .outsideFailed), fault(.timeout), fault(.lostReply), fault(.lostReply, .before), fault(.slow),
                fault(.crash),
                fault(.crash, .after),
            ]
        default:
            return [
                fault(.error), fault(.timeout), fault(.lostReply), fault(.slow), fault(.crash), fault(.crash, .after),
                fault(.sourceUnreachable),
                fault(.sourceUnreachable, lasting: .forever), fault(.destinationUnreachable),
                fault(.destinationUnreachable, lasting: .forever),
                fault(.storeUnreachable), fault(.clockJump),
            ]
        }
    }
}
