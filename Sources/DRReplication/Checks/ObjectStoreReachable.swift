internal import DRModel

struct ObjectStoreReachable: Check {
    static let id = "object-store-reachable"
    static let summary = "The pair's object store answers a read."

    func run(in context: CheckContext) async throws -> CheckResult {
        guard let store = context.store else {
            return failed("there is no object store \"\(context.storeName)\"", fix: "declare it under objectStores in dr.yaml")
        }
        do {
            _ = try await store.exists("probe")
            return ok("\(store.name) answers; writing was not tried, for a check changes nothing")
        } catch let error as DRError {
            // After a disaster the destination's own copy is enough.
            return context.source == nil
                ? warning(
                    "\(store.name): \(error.message)", fix: "the destination's own copy is enough to go on; mend the store afterwards")
                : failed("\(store.name): \(error.message)", fix: "mend the object store: nothing can be copied without it")
        }
    }
}
