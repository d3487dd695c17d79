public import DRActions
public import DRModel

extension Host {
    /// Waits until a gate of the run has passed or was closed, or its window has opened, and carries it on. What became of it meanwhile holds: where it was put
    /// down, undone or brought to its end, nothing is carried on, and the report is that one's.
    ///
    /// `report`: of a run that waits for people, or for a time. `more`: as in `resume`. Throws as `resume` does.
    public func carryOn(
        _ report: RunReport, mayActivate: Bool, more: MoreTime = MoreTime(), events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        while true {
            while try stillWaits(report) { try await world.clock.sleep(for: .seconds(1)) }
            do {
                return try await resume(report.run, mayActivate: mayActivate, more: more, isWaitedFor: true, events: events)
            } catch let error as DRError where error.code == .locked && error.details?["run"].string == report.run.text {
                // Somebody else was first, and carries it on.
                continue
            }
        }
    }

    private func stillWaits(_ report: RunReport) throws -> Bool {
        if try isCarriedOn(report.run) { return true }
        let history = try show(report.run)
        guard try RunReport(of: report.run, in: history.records) == nil else { return false }
        if case .instant(let opens)? = report.error?.details?["opens"], opens <= world.clock.now() { return false }
        guard report.error?.details?["gate"].string != nil else { return true }
        let gates = try OpenGate.all(
            header: history.header, records: history.records, rules: configuration.approvals, now: world.clock.now())
        return !gates.isEmpty && gates.allSatisfy { $0.missing != nil }
    }
}
