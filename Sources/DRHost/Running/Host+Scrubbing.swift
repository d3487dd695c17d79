internal import DRModel
internal import DRReplication

/// The own copies that `serve` reads, a part at a time, so that a schedule never waits long.
struct ScrubRound {
    /// A part is read in a second or so; one every ten seconds is half a terabyte a day.
    private static let part = ByteCount(64 << 20)

    /// How far each has come.
    private var reached: [ScrubPlace: String] = [:]

    /// Reads the next part of the first own copy that is due. Tells what was damaged, and the end of a copy.
    mutating func step(
        _ engine: ReplicationEngine, _ call: EngineCall, _ now: Instant, _ tell: @Sendable (ServiceEvent) -> Void
    ) async {
        do {
            guard let place = try await engine.scrubsDue().first else { return }
            let scrubbed: Scrubbed
            do { scrubbed = try await engine.scrub(place, after: reached[place], most: Self.part, call) } catch let error as DRError
                where error.code == .locked
            {
                // A point is coming in: another time.
                return
            }
            reached[place] = scrubbed.next
            if scrubbed.next == nil { try await engine.forget(run: call.holder.run) }
            if scrubbed.next == nil || !scrubbed.healed.isEmpty || !scrubbed.lost.isEmpty || !scrubbed.removed.isEmpty {
                tell(.scrubbed(place.application, place.cluster, scrubbed, now))
            }
        } catch {
            tell(.failed("scrub", error as? DRError ?? DRError(.internal, "\(error)")))
        }
    }
}
