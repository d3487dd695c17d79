internal import DRModel

/// When the actions of a plan would begin and end: one after the other in a branch, side by side in branches of a `parallel`, who forked goes on when the last of
/// them has ended.
///
/// It knows branches by their ids alone (`0.4-2` is the second branch of the fork at the fourth request of `0`). An action costs it one step for each branch around it.
struct PlanTimeline: Sendable {
    /// A point of a branch, with the way there.
    struct Moment: Sendable {
        var elapsed: Duration = .zero
        /// How many actions before it took nobody knows how long.
        var unknowns = 0
        fileprivate var last: Link?
    }

    /// The way there, from its end: shared by what comes after.
    fileprivate final class Link: Sendable {
        let title: String
        let duration: Duration?
        let before: Link?

        init(_ title: String, _ duration: Duration?, before: Link?) {
            self.title = title
            self.duration = duration
            self.before = before
        }
    }

    let expectations: PastDurations
    private var moments: [String: Moment] = [:]
    private var forks: [String: Moment] = [:]

    init(_ expectations: PastDurations) { self.expectations = expectations }

    /// Adds an action to its branch. One that fails or that people or a window decide takes no time.
    mutating func add(_ verb: String, _ input: Value, branch: String, failed: Bool) -> (begin: Moment, end: Moment) {
        let begin = moment(branch)
        var end = begin
        let timeless = failed || verb == "approve" || verb == "window"
        let duration = timeless ? .zero : expectations.expected(verb, input)
        if let duration { end.elapsed += duration } else { end.unknowns += 1 }
        if duration != .zero { end.last = Link(Self.title(verb, input), duration, before: begin.last) }
        moments[branch] = end
        var around = Self.parent(branch)
        while let parent = around {
            if let known = moments[parent.id],
                known.elapsed > end.elapsed || (known.elapsed == end.elapsed && known.unknowns >= end.unknowns)
            {
                moments[parent.id]?.unknowns = max(known.unknowns, end.unknowns)
            } else {
                moments[parent.id] = end
            }
            around = Self.parent(parent.id)
        }
        return (begin, end)
    }

    /// Where the branch is now.
    mutating func now(_ branch: String) -> Moment { moment(branch) }

    /// The actions between two points, oldest first.
    static func path(from begin: Moment, to end: Moment) -> [(title: String, duration: Duration?)] {
        var steps: [(title: String, duration: Duration?)] = []
        var link = end.last
        while let step = link, step !== begin.last {
            steps.append((step.title, step.duration))
            link = step.before
        }
        return steps.reversed()
    }

    // Where the branch is now. A new one begins where its fork was, however far its siblings are.
    private mutating func moment(_ branch: String) -> Moment {
        if let known = moments[branch] { return known }
        guard let parent = Self.parent(branch) else { return moments["0"] ?? Moment() }
        if let fork = forks[parent.fork] { return fork }
        let fork = moment(parent.id)
        forks[parent.fork] = fork
        return fork
    }

    // `0.4-2`: the branch `0`, the fork `0.4`.
    private static func parent(_ branch: String) -> (id: String, fork: String)? {
        guard let dot = branch.lastIndex(of: "."), let dash = branch.lastIndex(of: "-"), dash > dot else { return nil }
        return (String(branch[..<dot]), String(branch[..<dash]))
    }

    static func title(_ verb: String, _ input: Value) -> String {
        let names = input["application"].string.map { [$0] } ?? input["applications"].list?.compactMap(\.string) ?? []
        let shown = names.count > 3 ? Array(names.prefix(2)) + ["and \(names.count - 2) more"] : names
        return ([verb] + shown).joined(separator: " ")
    }
}
