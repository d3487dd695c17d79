internal import DRActions
public import DRModel
internal import DRReplication

extension Host {
    /// Executes a runbook as a drill: applications that would go live get an isolated clone at the destination, which is removed when the runbook has ended;
    /// nothing else is changed. Outside calls do what they say of drills. Should this process die, the clone goes with its lease.
    public func drill(
        _ runbook: String, parameters: Value = [:], events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> (report: RunReport, cleanups: [CleanupReport]) {
        let order = try order(runbook, parameters)
        let engine = engine(over: world)
        let report = try await writing { journal in
            try await runner(world, journal, predicted: false, mayActivate: false, runningAs: .drill, events).run(order)
        }
        // A drill that waits for a person is carried on later.
        guard report.outcome != .waiting, !report.isHeld else { return (report, []) }
        var cleanups: [CleanupReport] = []
        for drill in try await engine.drills() where drill.run == report.run {
            cleanups.append(try await engine.cleanUp(drill.id, observation("cleanup")))
        }
        return (report, cleanups)
    }

    /// The drills that stand, oldest first, and the clusters that do not answer.
    public func drills() async throws -> (found: [DrillStatus], silent: [ClusterName]) {
        try await engine(over: world).standingDrills()
    }

    /// Removes a drill and says what it removed: nothing, when that was done before. Throws `unknown-name`, `cluster-unreachable`.
    public func cleanUp(_ drill: DrillID) async throws -> CleanupReport {
        let engine = engine(over: world)
        let call = try observation("cleanup")
        let report = try await engine.cleanUp(drill, call)
        try await engine.forget(run: call.holder.run)
        return report
    }
}
