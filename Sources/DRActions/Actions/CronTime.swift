package import DRModel

/// When something is to be done by the clock: five fields of cron, in a time zone.
package struct CronTime: Sendable, Hashable {
    private let pattern: CronPattern
    private let zone: String?

    /// Throws `invalid-input` for what is no pattern, `configuration` for what is no zone.
    package init(_ pattern: String, zone: String?) throws(DRError) {
        do { self.pattern = try CronPattern(parameter: .string(pattern), in: ParameterSurroundings(inventory: Inventory())) } catch {
            throw DRError(any: error)
        }
        if let zone { try ZoneFiles.check(zone) }
        self.zone = zone
    }

    /// Reads a file. Throws `configuration` where the host has no such zone.
    package func rules() throws(DRError) -> ZoneRules { try ZoneFiles.rules(of: zone) }

    package func last(atOrBefore now: Instant, in zone: ZoneRules) -> Instant? { pattern.last(atOrBefore: now, in: zone) }
    package func next(after now: Instant, in zone: ZoneRules) -> Instant? { pattern.next(after: now, in: zone) }
}
