package import DRModel

/// When something is to be done by the clock: five fields of cron, in a zone that is an offset from UTC.
package struct CronTime: Sendable, Hashable {
    private let pattern: CronPattern
    private let offset: Int

    /// Throws `invalid-input` for what is no pattern, or no offset such as `+02:00`.
    package init(_ pattern: String, zone: String?) throws(DRError) {
        let surroundings = ParameterSurroundings(inventory: Inventory())
        do {
            self.pattern = try CronPattern(parameter: .string(pattern), in: surroundings)
            offset = try zone.map { try ZoneOffset(parameter: .string($0), in: surroundings).seconds } ?? 0
        } catch {
            throw DRError(any: error)
        }
    }

    package func last(atOrBefore now: Instant) -> Instant? { pattern.last(atOrBefore: now, offset: offset) }
    package func next(after now: Instant) -> Instant? { pattern.next(after: now, offset: offset) }
}
