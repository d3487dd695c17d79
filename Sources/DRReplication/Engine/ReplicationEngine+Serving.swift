public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// Every schedule of dr.yaml and of the clusters that answer, by name, with when it runs next. `since`: from when on slots count where one has never run.
    /// One that nobody can tell the time of has an error and no time; it keeps no other from running.
    public func schedules(since: Instant) async throws -> [ScheduleStatus] {
        var found: [ScheduleName: (Schedule, any Cluster)] = [:]
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                for schedule in try await cluster.schedules().sound where found[schedule.name] == nil {
                    found[schedule.name] = (schedule, cluster)
                }
            } catch let error as DRError where error.code == .clusterUnreachable {
                continue
            }
        }
        var list: [ScheduleStatus] = []
        for declared in inventory.schedules where found[declared.name] == nil {
            found[declared.name] = (declared, try await direction(declared.pair, reversed: false).destination)
        }
        for (schedule, place) in found.values.sorted(by: { $0.0.name < $1.0.name }) {
            do {
                list.append(try await status(of: schedule, at: place, since: since))
            } catch let error as DRError {
                list.append(
                    ScheduleStatus(
                        schedule: schedule, when: schedule.policy.text, last: nil, next: nil, due: nil, failures: 0, error: error.message))
            }
        }
        return list
    }

    private func status(of schedule: Schedule, at place: any Cluster, since: Instant) async throws -> ScheduleStatus {
        let past = try await place.read(ScheduleRecord.self, .scheduled(schedule.name), "schedule \(schedule.name)")
        let machine = ScheduleMachine(schedule: schedule, zone: try ZoneFiles.rules(of: schedule.policy.zone))
        var next: Instant?
        var due: Instant?
        switch try machine.decide(past, since: since, now: clock.now()) {
        case .run(let slot): (next, due) = (clock.now(), slot)
        case .wait(let until): next = until
        case .suspended: break
        }
        return ScheduleStatus(
            schedule: schedule, when: schedule.policy.text, last: past?.at, next: next, due: due, failures: past?.failures ?? 0,
            error: past?.error)
    }

    /// One copy of all its applications, each from where it is live: while an application lives at the pair's destination, it is copied the other way. So
    /// nothing has to be suspended by a failover or resumed by a failback. What fails for one application does not keep the others from being copied; it is
    /// thrown at the end, and the schedule tries again after a pause.
    public func runSchedule(_ name: ScheduleName, slot: Instant, _ call: EngineCall) async throws -> [ScheduleCopy] {
        let (schedule, place) = try await self.schedule(name)
        guard !schedule.suspended else { return [] }
        var copies: [ScheduleCopy] = []
        for application in schedule.applications.sorted() {
            do {
                copies.append(try await copy(application, of: schedule, call))
            } catch let error as DRError {
                copies.append(ScheduleCopy(application: application, recovery_point: nil, from: nil, error: error))
            }
        }
        let failed = copies.compactMap(\.error)
        let past = try await place.document(.scheduled(name))
        let before = try past.map { try place.decoded(ScheduleRecord.self, $0, "schedule \(name)") }
        let record = ScheduleRecord(
            slot: failed.isEmpty ? slot : before?.slot ?? slot, at: clock.now(), failures: failed.isEmpty ? 0 : (before?.failures ?? 0) + 1,
            error: failed.first?.message)
        _ = try await place.commit(
            Transaction(
                call.key.part("record"), guards: [.document(.scheduled(name), past)],
                changes: [.write(.scheduled(name), try Value(encoding: record))]))
        return copies
    }

    private func copy(_ application: ApplicationName, of schedule: Schedule, _ call: EngineCall) async throws -> ScheduleCopy {
        let forward = try await direction(schedule.pair, reversed: false)
        let standing = try await self.standing(of: application, forward)
        let reversed = standing.active == forward.destination.name
        let order = MigrationOrder(pair: schedule.pair, reversed: reversed, applications: [application])
        let part = EngineCall(key: call.key.part(application.text), holder: call.holder, effects: call.effects, points: call.points)
        let report = try await migrate(order, part)
        return ScheduleCopy(
            application: application, recovery_point: report.applications[application.text]?.recovery_point, from: standing.active,
            error: nil, warnings: report.warnings ?? [])
    }
}
