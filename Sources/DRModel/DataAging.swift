/// How old the data was that people saw going live in a plan, and how much older it may be when it does.
public struct DataAging: Codable, Hashable, Sendable {
    /// By application; those of which the plan knew.
    public let ages: [String: Duration]
    public let most: Duration

    public init(ages: [String: Duration], most: Duration) {
        self.ages = ages
        self.most = most
    }

    /// Which application's data would be too old now, and by how much; nil where none's is. `isOver`: it is live, and how old it was is settled.
    public func exceeded(by now: [String: Duration], isOver: (String) -> Bool = { _ in false }) -> String? {
        for (name, then) in ages.sorted(by: { $0.key < $1.key }) where !isOver(name) {
            guard let age = now[name] else { return "nobody knows how old the data of \(name) would be, which was \(then.text)" }
            if age > then + most {
                return "the data of \(name) would be \(age.text) old, \((age - then - most).text) more than the \(then.text) of the plan"
                    + " and the \(most.text) on top that were allowed"
            }
        }
        return nil
    }
}
