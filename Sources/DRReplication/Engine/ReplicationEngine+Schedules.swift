public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// Sets the schedule up at its pair's destination, where it outlives the source. Whether it is suspended is not compared: that is what `setSuspended` is
    /// for. Throws `conflict` and names the field where a schedule of this name is there but different.
    public func ensureSchedule(_ schedule: Schedule, _ call: EngineCall) async throws -> ScheduleReport {
        try validate(schedule)
        let place = try await direction(schedule.pair, reversed: false).destination
        let key = call.key.part("schedule")
        if try await place.committed(key) == nil, let value = try await place.document(.schedule(schedule.name)) {
            let present = try place.decoded(Schedule.self, value, "schedule \(schedule.name)")
            var wanted = schedule
            wanted.suspended = present.suspended
            guard present == wanted else {
                throw difference("schedule \(schedule.name)", present: value, wanted: try Value(encoding: wanted), at: place.name)
            }
            return report(present, changed: false)
        }
        _ = try await once(at: place, key, call.effects) { try creation(of: schedule, key, at: place) }
        failpoint("engine.schedule.created")
        return report(schedule, changed: true)
    }

    public func setSuspended(_ suspended: Bool, schedule name: ScheduleName, _ call: EngineCall) async throws -> ScheduleReport {
        let (schedule, place) = try await schedule(name)
        let key = call.key.part("suspend")
        var changed = schedule
        changed.suspended = suspended
        let committed = try await once(at: place, key, call.effects) {
            guard let present = try await place.document(.schedule(name)) else { return try creation(of: changed, key, at: place) }
            guard schedule.suspended != suspended else { return nil }
            return Transaction(
                key, guards: [.document(.schedule(name), present)], changes: [.write(.schedule(name), try Value(encoding: changed))],
                effects: [Effect(suspended ? .suspend : .resume, kind: "Schedule", name: name.text, at: place.name)])
        }
        failpoint("engine.schedule.suspended")
        return report(changed, changed: committed != nil)
    }

    private func creation(of schedule: Schedule, _ key: OperationKey, at place: any Cluster) throws -> Transaction {
        Transaction(
            key, guards: [.document(.schedule(schedule.name), nil)],
            changes: [.write(.schedule(schedule.name), try Value(encoding: schedule))],
            effects: [Effect(.create, kind: "Schedule", name: schedule.name.text, at: place.name)])
    }

    private func report(_ schedule: Schedule, changed: Bool) -> ScheduleReport {
        ScheduleReport(
            name: schedule.name, pair: schedule.pair, applications: schedule.applications, suspended: schedule.suspended, changed: changed)
    }

    func validate(_ schedule: Schedule) throws {
        guard !schedule.applications.isEmpty else {
            throw DRError(.invalidInput, "schedule \(schedule.name) has no applications", hint: "name at least one")
        }
        for name in schedule.applications { _ = try application(name) }
        do { try schedule.policy.check() } catch {
            throw DRError(error.code, "schedule \(schedule.name): \(error.message)", hint: error.hint)
        }
        guard schedule.retain.last >= 1 else {
            throw DRError(.invalidInput, "schedule \(schedule.name) retains no recovery point", hint: "retain.last is at least 1")
        }
    }

    /// As it stands at its place, else as dr.yaml declares it.
    func schedule(_ name: ScheduleName) async throws -> (Schedule, any Cluster) {
        if let declared = inventory.schedules.first(where: { $0.name == name }) {
            let place = try await direction(declared.pair, reversed: false).destination
            guard let value = try await place.document(.schedule(name)) else { return (declared, place) }
            return (try place.decoded(Schedule.self, value, "schedule \(name)"), place)
        }
        var known = Set(inventory.schedules.map(\.name.text))
        var silent: DRError?
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                if let value = try await cluster.document(.schedule(name)) {
                    return (try cluster.decoded(Schedule.self, value, "schedule \(name)"), cluster)
                }
                for path in try await cluster.documents(in: .schedules) { known.insert(path.lastName) }
            } catch let error as DRError where error.code == .clusterUnreachable {
                silent = error
            }
        }
        // Perhaps the one that does not answer knows it.
        if let silent { throw silent }
        throw unknown("schedule", name.text, among: known)
    }
}
