internal import DRModel
internal import DRReplication

/// The own copies that `serve` reads, a part at a time, so that a schedule never waits long.
struct ScrubRound {
    /// A part is read in a second or so; one every ten seconds is half a terabyte a day.
    private static let part = ByteCount(64 << 20)

    /// How far each has come.
    private var reached: [ScrubPlace: String] = [:]

    /// Reads the next part of the first own copy that is due and not being written. Tells what was damaged, and the end of a copy.
    mutating func step(
        _ engine: ReplicationEngine, _ call: EngineCall, _ now: Instant, _ tell: @Sendable (ServiceEvent) -> Void
    ) async {
        do {
            for place in try await engine.scrubsDue() {
                let scrubbed: Scrubbed
                do { scrubbed = try await engine.scrub(place, after: reached[place], most: Self.part, call) } catch let error as DRError
                    where error.code == .locked
                {
                    // A point is coming in, or volumes are made to stand by: another time. The others need not wait for that.
                    continue
                }
                reached[place] = scrubbed.next
                if scrubbed.next == nil { try await engine.forget(run: call.holder.run) }
                if scrubbed.next == nil || !scrubbed.healed.isEmpty || !scrubbed.lost.isEmpty || !scrubbed.removed.isEmpty {
                    tell(.scrubbed(place.application, place.cluster, scrubbed, now))
                }
                return
            }
        } catch {
            tell(.failed("scrub", error as? DRError ?? DRError(.internal, "\(error)")))
        }
    }
}
