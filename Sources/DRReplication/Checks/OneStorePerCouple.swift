internal import DRModel

struct OneStorePerCouple: Check {
    static let id = "one-store-per-couple"
    static let summary = "All pairs of the same two clusters go over one object store."

    func run(in context: CheckContext) async throws -> CheckResult {
        let couple: Set<ClusterName> = [context.sourceName, context.destination.name]
        let others = context.inventory.pairs.filter { Set([$0.source, $0.destination]) == couple && $0.objectStore != context.storeName }
        guard let other = others.first else { return ok("\(context.storeName) is the only one") }
        return warning(
            "\(context.pair) goes over \(context.storeName), \(other.name) between the same clusters over \(other.objectStore)",
            fix: "use one store: what one pair has sent the other would send again")
    }
}
