public import DRModel
internal import DRReplication

/// What `apply` set up, or would set up.
public struct ApplyReport: Sendable {
    public let pairs: [PairReport]
    public let schedules: [ScheduleReport]
    public let effects: [Effect]
    public var changed: Bool { !effects.isEmpty }
}

/// `apply` came to an error when part of it was set up already. The same command again goes on.
public struct PartlyApplied: Error {
    public let error: DRError
    /// What was changed before.
    public let effects: [Effect]

    /// All of it in one.
    public var problem: DRError {
        let done = effects.map(\.text).joined(separator: ", ")
        return DRError(
            error.code, "\(error.message); set up before: \(done)", hint: error.hint ?? "`drrunbook apply` goes on", details: error.details)
    }
}

extension Host {
    /// Makes the pairs and schedules as the configuration declares them: what is missing is created, what differs changed, and what an earlier `apply` made and
    /// is declared no more is removed. `plan`: nothing is changed, only told. `shown`: what such a plan told; throws `conflict` rather than changing more than
    /// that. Throws `PartlyApplied` when something went before the error.
    public func apply(plan: Bool, shown: ApplyReport? = nil) async throws -> ApplyReport {
        if !plan, let shown {
            // Else what stands before it in the order would be changed, and then what follows refused.
            let now = try await apply(plan: true).effects
            if let other = now.first(where: { !shown.effects.contains($0) }) { throw ReplicationEngine.notShown(other) }
        }
        let world = plan ? world.planned() : world
        let engine = engine(over: world)
        // A key of its own for each time: what somebody has changed since is set up again.
        let call = try observation("apply")
        let (pairs, schedules): ([PairReport], [ScheduleReport])
        do {
            (pairs, schedules) = try await engine.declare(
                as: "\(identity.host):\(configuration.folder)", shown: shown?.effects, call)
        } catch {
            // The cause is what a person needs to see: where it struck, these fail of it, too.
            try? await engine.release(run: call.holder.run)
            try? await engine.forget(run: call.holder.run)
            let done = call.effects.effects
            if !plan, !done.isEmpty, let error = error as? DRError { throw PartlyApplied(error: error, effects: done) }
            throw error
        }
        try await engine.release(run: call.holder.run)
        try await engine.forget(run: call.holder.run)
        return ApplyReport(pairs: pairs, schedules: schedules, effects: call.effects.effects)
    }
}
