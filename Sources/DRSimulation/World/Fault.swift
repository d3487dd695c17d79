package import DRModel
internal import DRSupport

/// Something that goes wrong in a simulation, at the `nth` time something is done.
package struct Fault: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// It fails and does nothing.
        case error
        /// Nothing comes back for `delay`, then it fails; nothing was done.
        case timeout
        /// Its answer is lost: it was done (`before`: it was not), and whoever asked cannot tell.
        case lostReply = "lost-reply"
        /// It takes `delay` longer.
        case slow
        /// The process of the run dies, before it is done or (`after`) when it is done.
        case crash
        /// Its pair's source (or destination, or every store) does not answer, and goes on running; see `lasting`.
        case sourceUnreachable = "source-unreachable"
        case destinationUnreachable = "destination-unreachable"
        case storeUnreachable = "store-unreachable"
        /// `cluster` does not answer.
        case partition
        /// `cluster` loses its power for good: it stops answering, and nothing runs there.
        case down
        /// The time of day jumps by `delay`.
        case clockJump = "clock-jump"
        /// People say no at the gate.
        case reject
    }

    /// How long what does not answer goes on not answering.
    package enum Lasting: Hashable, Sendable {
        /// While the action is under way.
        case action
        case time(Duration)
        /// Until the test heals it.
        case forever
    }

    package enum Moment: String, Hashable, Sendable, CaseIterable { case before, after }

    package let kind: Kind
    /// `failover/last-sync`, `stop`, `west.commit`, `vault.put`, `journal`; with `=` before it, exactly this action.
    package let at: String
    package var nth: Int
    package var moment: Moment
    package var application: String?
    package var cluster: String?
    package var delay: Duration
    package var code: ErrorCode
    /// From the nth time on, each time.
    package var again: Bool
    package var lasting: Lasting

    package init(
        _ kind: Kind, at: String, nth: Int = 1, moment: Moment? = nil, application: String? = nil, cluster: String? = nil,
        delay: Duration? = nil, code: ErrorCode? = nil, again: Bool = false, lasting: Lasting = .action
    ) {
        self.kind = kind
        self.at = at
        self.nth = nth
        self.moment = moment ?? (kind == .lostReply ? .after : .before)
        self.application = application
        self.cluster = cluster
        self.delay = delay ?? .seconds(600)
        self.code = code ?? .io
        self.again = again
        self.lasting = lasting
    }

    /// `crash after failover/last-sync (2nd time)`.
    package var text: String {
        var text = kind.rawValue
        if kind == .crash || (kind == .lostReply && moment == .before) { text += " \(moment.rawValue)" }
        text += " at \(at.hasPrefix("=") ? String(at.dropFirst()) : at)"
        switch lasting {
        case .action: break
        case .time(let time): text += " for \(time.text)"
        case .forever: text += " for good"
        }
        if let application { text += " of \(application)" }
        if let cluster { text += " (\(cluster))" }
        return nth == 1 ? text : "\(text), time \(nth)"
    }
}

/// A place where something may go wrong, as a simulation comes by it.
package enum FaultPlace: Hashable, Sendable {
    /// An action of a run.
    case action(ActionPlace)
    /// A call of a port: `west`, `commit`.
    case port(String, String)
    /// A record of a run.
    case journal

    package func matches(_ fault: Fault) -> Bool {
        switch self {
        case .journal: return fault.at == "journal"
        case .port(let place, let operation):
            let parts = fault.at.split(separator: ".", maxSplits: 1).map(String.init)
            return parts.count == 2 && !fault.at.hasPrefix("=") && !fault.at.contains("/") && (parts[0] == place || parts[0] == "*")
                && (parts[1] == operation || parts[1] == "*")
        case .action(let action):
            guard fault.at.hasPrefix("=") || !fault.at.contains(".") || fault.at.contains("/") else { return false }
            if let application = fault.application, !action.applications.contains(application) { return false }
            return action.matches(fault.at)
        }
    }

    package var text: String {
        switch self {
        case .action(let action): action.label
        case .port(let place, let operation): "\(place).\(operation)"
        case .journal: "journal"
        }
    }
}

/// An action in a run as faults and timelines name it: the steps that lead to it, and what is done.
package struct ActionPlace: Hashable, Sendable {
    package let path: [String]
    package let verb: String
    package let input: Value

    package init(_ entry: JournalEntry) {
        path = entry.path
        verb = entry.verb
        input = entry.payload
    }

    /// What people call it: the copy that is made of what is stopped is the last sync.
    package var stage: String { verb == "migrate" && input["final"].bool == true ? "last-sync" : verb }
    /// `failover/ledger/stop`.
    package var label: String { (path + [stage]).joined(separator: "/") }

    package var applications: [String] {
        input["application"].string.map { [$0] } ?? input["applications"].list?.compactMap(\.string) ?? []
    }

    /// `stop ledger`, `last-sync ledger, storefront`.
    package var text: String { ([stage] + (applications.isEmpty ? [] : [applications.joined(separator: ", ")])).joined(separator: " ") }

    /// The steps asked for stand in this order among those that lead here; the last may be what is done.
    func matches(_ pattern: String) -> Bool {
        if pattern.hasPrefix("=") { return label == pattern.dropFirst() }
        var wanted = pattern.split(separator: "/").map(String.init)[...]
        for step in path where wanted.first == step || wanted.first == "*" { wanted = wanted.dropFirst() }
        guard let last = wanted.first else { return true }
        return wanted.count == 1 && (last == "*" || last == stage || last == verb || (verb == "start" && last == "activate"))
    }
}
