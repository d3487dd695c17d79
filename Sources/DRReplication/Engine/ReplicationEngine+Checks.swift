public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// The ids of all checks with what they ask, in their order.
    public static var checkSummaries: [(id: String, summary: String)] { Checks.all.map { ($0.id, $0.summary) } }

    /// Throws `invalid-input` with its place where a file of the user's cannot be read.
    public func checks(_ order: CheckOrder, _ call: EngineCall) async throws -> [CheckResult] {
        let known = Checks.all.map { $0.id }
        let named = (order.only ?? []) + order.skip.keys.sorted() + order.warnOnly.keys.sorted()
        for id in named where !known.contains(id) { throw unknown("check", id, among: known) }
        let direction = try await direction(order.pair, reversed: order.reversed)
        let applications = try Set(order.applications).sorted().map { name in try application(name) }
        // They look, at what is there now.
        let context = CheckContext(
            pair: direction.pair, home: direction.home, source: order.withoutSource ? nil : direction.source.picture(),
            sourceName: direction.source.name, destination: direction.destination.picture(),
            applications: applications, inventory: inventory, selfFence: selfFence,
            storeName: direction.storeName, store: stores[direction.storeName], holder: call.holder, now: clock.now())
        try await requireReadableInput(context)
        var results: [CheckResult] = []
        for check in Checks.all {
            if let only = order.only, !only.contains(check.id) { continue }
            try Task.checkCancellation()
            let result = try await answer(of: check, order, context)
            results.append(order.warnOnly[check.id].map { result.softened($0) } ?? result)
        }
        return results
    }

    /// A mistake in a file of the user's is said once, where it stands, before any check stumbles over it. In a disaster, too: nothing can be put beside
    /// manifests that cannot be read.
    private func requireReadableInput(_ context: CheckContext) async throws {
        for end in context.ends {
            do {
                _ = try await end.facts()
                for application in context.applications { _ = try await end.objects(of: application) }
            } catch let error as DRError where error.code != .invalidInput {
                continue
            }
        }
    }

    /// What cannot be asked is unknown: skipped with its reason, not failed. `clusters-reachable` is what fails then.
    private func answer(of check: any Check.Type, _ order: CheckOrder, _ context: CheckContext) async throws -> CheckResult {
        if let reason = order.skip[check.id] { return CheckResult(id: check.id, state: .skipped, message: "skipped: \(reason)") }
        if check.asksSource, context.source == nil {
            return CheckResult(id: check.id, state: .skipped, message: "\(context.sourceName) is not asked in disaster mode")
        }
        do {
            return try await check.init().run(in: context)
        } catch let error as DRError where error.code == .clusterUnreachable {
            return CheckResult(id: check.id, state: .skipped, message: "unknown: \(error.message)")
        } catch let error as DRError {
            let place = error.location.map { "\($0): " } ?? ""
            return CheckResult(
                id: check.id, state: .failed, message: place + error.message, fix: error.hint ?? "mend what it names, then ask again",
                next: "drrunbook ready --only \(check.id)")
        }
    }
}

extension CheckResult {
    /// A failure that only warns, for a person's reason.
    fileprivate func softened(_ reason: String) -> CheckResult {
        guard state == .failed else { return self }
        return CheckResult(id: id, state: .warning, message: "\(message) (only a warning: \(reason))", fix: fix, next: next)
    }
}
