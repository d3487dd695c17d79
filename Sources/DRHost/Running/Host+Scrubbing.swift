public import DRModel
internal import DRReplication

/// The own copies that `serve` reads, a part at a time, so that a schedule never waits long.
struct ScrubRound {
    /// A part is read in a second or so; one every ten seconds is half a terabyte a day.
    private static let part = ByteCount(64 << 20)
    /// What failed is tried again after so long.
    private static let pause = Duration.seconds(600)

    /// How far each has come. Another process finds it at the cluster.
    private var reached: [ScrubPlace: String] = [:]
    /// What was told of each that does not go on, by its name.
    private var told: [String: DRError] = [:]
    private var paused: [ScrubPlace: Instant] = [:]

    /// Reads the next part of the first own copy that is due and not being written. Tells what was damaged, and the end of a copy. One that fails is told when
    /// that is news, and keeps no other from being read.
    mutating func step(
        _ engine: ReplicationEngine, _ call: EngineCall, _ now: Instant, _ tell: @Sendable (ServiceEvent) -> Void
    ) async {
        var failures: [String: DRError] = [:]
        do {
            var silent: [(String, DRError)] = []
            let due = try await engine.scrubsDue { silent.append(($0, $1)) }
            // A cluster that does not answer is told of by what needs it.
            for (place, error) in silent where error.code != .clusterUnreachable { failures[place] = error }
            for place in due {
                if let until = paused[place], now < until {
                    failures["\(place)"] = told["\(place)"]
                    continue
                }
                do {
                    try await read(place, engine, call, now, tell)
                    break
                } catch let error as DRError where error.code == .locked {
                    // A point is coming in, or volumes are made to stand by: another time. The others need not wait for that.
                    continue
                } catch {
                    failures["\(place)"] = error as? DRError ?? DRError(.internal, "\(error)")
                    paused[place] = now + Self.pause
                }
            }
        } catch {
            failures["scrub"] = error as? DRError ?? DRError(.internal, "\(error)")
        }
        for (place, error) in failures.sorted(by: { $0.key < $1.key }) where told[place] != error {
            tell(.failed(place == "scrub" ? place : "scrub of \(place)", error))
        }
        told = failures
    }

    private mutating func read(
        _ place: ScrubPlace, _ engine: ReplicationEngine, _ call: EngineCall, _ now: Instant, _ tell: @Sendable (ServiceEvent) -> Void
    ) async throws {
        paused[place] = nil
        let after: String?
        if let known = reached[place] { after = known } else { after = try await engine.scrubReached(place) }
        let scrubbed = try await engine.scrub(place, after: after, most: Self.part, call)
        reached[place] = scrubbed.next
        try await engine.forget(run: call.holder.run)
        if scrubbed.next == nil || scrubbed.hasFindings { tell(.scrubbed(place.application, place.cluster, scrubbed, now)) }
    }
}

extension Host {
    /// What became of one own copy: all that was read, and why it did not come to its end.
    public struct ScrubReport: Sendable {
        public let application: ApplicationName
        public let cluster: ClusterName
        public let scrubbed: Scrubbed
        public let error: DRError?
    }

    /// Reads the own copies of the applications, of all when none is named, beside their stores from the beginning to the end, and heals one from the other.
    /// What goes wrong with one of them keeps no other from being read. `silent`: what could not be asked.
    public func scrub(
        _ applications: [ApplicationName], tell: (ApplicationName, ClusterName, Scrubbed) -> Void
    ) async throws -> (reports: [ScrubReport], silent: [DRError]) {
        let engine = engine(over: world)
        var silent: [DRError] = []
        let wanted = applications.isEmpty ? configuration.inventory.applications.map(\.name) : applications
        var reports: [ScrubReport] = []
        for place in try await engine.scrubPlaces(of: wanted, { silent.append($1) }) {
            var all = Scrubbed()
            do {
                repeat {
                    let call = try observation("scrub")
                    // Larger parts than those of `serve`: whoever asks for it waits for it.
                    all.add(try await engine.scrub(place, after: all.next, most: ByteCount(1 << 30), call))
                    try await engine.forget(run: call.holder.run)
                    tell(place.application, place.cluster, all)
                } while all.next != nil
                reports.append(ScrubReport(application: place.application, cluster: place.cluster, scrubbed: all, error: nil))
            } catch let error as DRError {
                reports.append(ScrubReport(application: place.application, cluster: place.cluster, scrubbed: all, error: error))
            }
        }
        return (reports, silent)
    }
}
