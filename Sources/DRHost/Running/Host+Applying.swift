public import DRModel
internal import DRReplication

/// What `apply` set up, or would set up.
public struct ApplyReport: Sendable {
    public let pairs: [PairReport]
    public let schedules: [ScheduleReport]
    public let effects: [Effect]
    public var changed: Bool { !effects.isEmpty }
}

extension Host {
    /// Sets up the pairs and schedules of the configuration; what stands already is left as it is. `plan`: nothing is changed, only told.
    public func apply(plan: Bool) async throws -> ApplyReport {
        let world = plan ? world.planned() : world
        let engine = engine(over: world)
        // A key of its own for each time: what somebody has changed since is set up again.
        let call = try observation("apply")
        func part(_ name: String) -> EngineCall {
            EngineCall(key: call.key.part(name), holder: call.holder, effects: call.effects, points: call.points)
        }
        var pairs: [PairReport] = []
        var schedules: [ScheduleReport] = []
        for pair in configuration.inventory.pairs { pairs.append(try await engine.ensurePair(pair, part("pair/\(pair.name)"))) }
        for schedule in configuration.inventory.schedules {
            schedules.append(try await engine.ensureSchedule(schedule, part("schedule/\(schedule.name)")))
        }
        try await engine.release(run: call.holder.run)
        try await engine.forget(run: call.holder.run)
        return ApplyReport(pairs: pairs, schedules: schedules, effects: call.effects.effects)
    }
}
