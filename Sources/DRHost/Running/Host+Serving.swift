public import DRModel
internal import DRReplication
internal import DRSupport

extension Host {
    /// Every schedule with when it ran and when it runs next.
    public func schedules() async throws -> [ScheduleStatus] { try await engine(over: world).schedules(since: world.clock.now()) }

    /// Who holds which application, at clusters that answer; what is wrong with locks that cannot be read; and the clusters that do not answer.
    public func locks() async throws -> (
        found: [(cluster: ClusterName, lock: ApplicationLock)], damaged: [DRError], silent: [ClusterName]
    ) {
        try await engine(over: world).locks()
    }

    /// Takes an application's locks from whoever holds them, and says where.
    public func breakLock(of application: ApplicationName) async throws -> [ClusterName] {
        try await engine(over: world).breakLock(of: application)
    }

    /// Runs schedules and jobs when they are due, removes drills whose lease is over and reads each own copy once a week, until `isStopped` says so; what is
    /// under way is brought to its end first. Failures are told, they do not end it; copies are tried again after a pause. A job goes on beside the copies,
    /// one at a time.
    public func serve(until isStopped: @escaping @Sendable () -> Bool, tell: @escaping @Sendable (ServiceEvent) -> Void) async throws {
        let engine = engine(over: world)
        let begun = world.clock.now()
        var scrubs = ScrubRound()
        var jobs = try JobClock(configuration.jobs, begun: begun)
        let isAtJob = Lock(false)
        var broken: [ScheduleName: String] = [:]
        try await withThrowingTaskGroup(of: Void.self) { group in
            while !isStopped() {
                do { try await engine.noteContacts() } catch let error as DRError { tell(.failed("contacts", error)) }
                try await removeExpiredDrills(engine, tell)
                var wake = world.clock.now() + .seconds(10)
                if !isAtJob.withLock({ $0 }), let job = jobs.due(at: world.clock.now()) {
                    isAtJob.withLock { $0 = true }
                    group.addTask {
                        tell(await self.run(job))
                        isAtJob.withLock { $0 = false }
                    }
                } else if let next = jobs.next(after: world.clock.now()) {
                    wake = min(wake, next)
                }
                for status in try await engine.schedules(since: begun) where !isStopped() {
                    let name = status.schedule.name
                    let why = status.isBroken ? status.error : nil
                    // Once, and again when it is another one.
                    if let why, broken[name] != why { tell(.failed("schedule \(name)", DRError(.configuration, why))) }
                    broken[name] = why
                    if let slot = status.due {
                        await run(status.schedule, slot, engine, tell)
                    } else if let next = status.next {
                        wake = min(wake, next)
                    }
                }
                if !isStopped() { await scrubs.step(engine, try observation("scrub"), world.clock.now(), tell) }
                while !isStopped(), world.clock.now() < wake {
                    try await world.clock.sleep(for: min(.milliseconds(200), max(.milliseconds(1), wake - world.clock.now())))
                }
            }
            try await group.waitForAll()
        }
    }

    private func removeExpiredDrills(_ engine: ReplicationEngine, _ tell: @Sendable (ServiceEvent) -> Void) async throws {
        for drill in try await engine.drills() where drill.expired {
            let call = try observation("serve")
            do {
                tell(.cleaned(try await engine.cleanUp(drill.id, call)))
                try await engine.forget(run: call.holder.run)
            } catch {
                tell(.failed("drill \(drill.id)", error as? DRError ?? DRError(.internal, "\(error)")))
            }
        }
    }

    /// A run like any other, in the journal; what waits for a person waits there.
    package func run(_ job: JobDeclaration) async -> ServiceEvent {
        do {
            let report = try await JobDeclaration.$current.withValue(job.name) {
                try await run(job.runbook, parameters: job.parameters, mayActivate: false)
            }
            return .ran(job.name, report, world.clock.now())
        } catch {
            return .failed("job \(job.name)", error as? DRError ?? DRError(.internal, "\(error)"))
        }
    }

    private func run(
        _ schedule: Schedule, _ slot: Instant, _ engine: ReplicationEngine, _ tell: @Sendable (ServiceEvent) -> Void
    ) async {
        do {
            let call = try observation("schedule-\(schedule.name)")
            do {
                tell(.copied(schedule.name, try await engine.runSchedule(schedule.name, slot: slot, call), world.clock.now()))
            } catch {
                // Others wait for the locks.
                try await engine.release(run: call.holder.run)
                try await engine.forget(run: call.holder.run)
                throw error
            }
            try await engine.release(run: call.holder.run)
            // The next copy has a key of its own, also after a failure.
            try await engine.forget(run: call.holder.run)
        } catch {
            tell(.failed("schedule \(schedule.name)", error as? DRError ?? DRError(.internal, "\(error)")))
        }
    }
}

extension JobDeclaration {
    /// The job whose run this task carries on.
    @TaskLocal static var current: String?
}

/// What `serve` did.
public enum ServiceEvent: Sendable {
    case copied(ScheduleName, [ScheduleCopy], Instant)
    case cleaned(CleanupReport)
    /// An own copy was read and compared with its store, to the end when nothing was damaged.
    case scrubbed(ApplicationName, ClusterName, Scrubbed, Instant)
    /// A job, and how its run ended.
    case ran(String, RunReport, Instant)
    /// What, and why not.
    case failed(String, DRError)
}
