internal import DRActions
package import DRModel

/// Which job is due, decided from the time alone. One at a time: jobs are runs, and runs share one journal.
///
/// What fell due before it began is not made up for: whoever was not there did not see that the time is wrong by now.
package struct JobClock: Sendable {
    private let jobs: [(job: JobDeclaration, zone: ZoneRules)]
    private var seen: [String: Instant]

    /// Throws `configuration` where the host has no such time zone.
    package init(_ jobs: [JobDeclaration], begun: Instant) throws(DRError) {
        var zoned: [(job: JobDeclaration, zone: ZoneRules)] = []
        for job in jobs { zoned.append((job, try job.time.rules())) }
        self.jobs = zoned
        seen = Dictionary(jobs.map { ($0.name, begun) }) { first, _ in first }
    }

    /// The job whose time came first, once for each time; several times that passed while others ran are one.
    package mutating func due(at now: Instant) -> JobDeclaration? {
        let due = jobs.compactMap { job, zone in
            job.time.last(atOrBefore: now, in: zone).flatMap { slot in slot > (seen[job.name] ?? now) ? (job: job, slot: slot) : nil }
        }.min { ($0.slot, $0.job.name) < ($1.slot, $1.job.name) }
        guard let due else { return nil }
        seen[due.job.name] = due.slot
        return due.job
    }

    package func next(after now: Instant) -> Instant? { jobs.compactMap { $0.job.time.next(after: now, in: $0.zone) }.min() }
}
