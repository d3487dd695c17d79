/// How old the data was that people saw going live in a plan, and how much older it may be when it does.
public struct DataAging: Codable, Hashable, Sendable {
    /// By application; those of which the plan knew.
    public let ages: [String: Duration]
    public let most: Duration

    public init(ages: [String: Duration], most: Duration) {
        self.ages = ages
        self.most = most
    }

    /// Which application's data would be too old where what is planned now is done, and by how much; nil where none's would. What the plan leaves where it is is not
    /// judged; a plan that fails does not say what it leaves.
    ///
    /// `except`: what is live already, or nobody keeps from it any more: how old that is is settled.
    public func exceeded(in plan: RunReport, except settled: Set<ApplicationName> = []) -> String? {
        let goesLive = Set(plan.effects.filter { $0.verb == .activate }.map(\.name))
        let open = ages.filter { name, _ in !settled.contains { $0.text == name } }
        for (name, then) in open.sorted(by: { $0.key < $1.key }) where goesLive.contains(name) || plan.error != nil {
            guard goesLive.contains(name), let age = plan.applications.first(where: { $0.name.text == name })?.rpo?.age else {
                let cause = plan.error.map { ": what is left would fail, \($0.message)" } ?? ""
                return "nobody knows how old the data of \(name) would be, which was \(then.text)\(cause)"
            }
            if age > then + most {
                return "the data of \(name) would be \(age.text) old, \((age - then - most).text) more than the \(then.text) of the plan"
                    + " and the \(most.text) on top that were allowed"
            }
        }
        return nil
    }
}
