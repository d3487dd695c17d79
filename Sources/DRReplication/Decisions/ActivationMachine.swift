internal import DRModel

/// One activation as a state machine: facts in, commands out. It reads nothing and changes nothing itself.
///
/// The order is what keeps one writer: everything long is done first, then the source is fenced (planned), then one commit makes the destination live. Told
/// the same facts after a crash, it asks for the same steps, which the ports do once for their keys.
struct ActivationMachine {
    /// What was read. In a disaster the source is not asked, and `source` and `synced` are nil.
    struct Facts {
        var destination: ApplicationRecord?
        var source: ApplicationRecord?
        /// Of the other clusters where the application could be live, as far as they answer.
        var others: [ClusterName: ApplicationRecord] = [:]
        /// Workloads at the source that are not at rest, whatever its record says.
        var awake: [ObjectKey] = []
        /// At the destination, newest first.
        var points: [RecoveryPoint]
        /// Listed there as well, but not to be read.
        var damagedPoints: [DamagedRecord] = []
        var synced: PointID?
        var now: Instant
    }

    enum Event {
        /// What earlier calls with this key settled.
        case recalled(choice: ActivationChoice?, answer: ActivationAnswer?)
        case read(Facts)
        case settled(ActivationChoice)
        case verified
        case surveyed(Survey)
        case quieted
        case staged(StagedVolume)
        case fenced
        case live(ActivationAnswer)
    }

    enum Command {
        case recall
        case read(source: Bool)
        case settle(ActivationChoice)
        case verify(RecoveryPoint)
        /// `byHistory`: all objects of the application here are its own.
        case survey(RecoveryPoint, owned: [ObjectKey], byHistory: Bool)
        case quiet(Placement)
        case materialise(PointVolume, RecoveryPoint)
        case fence(Epoch, ApplicationRecord?, ActivationChoice)
        /// Without a former site that is known not to run it: the risk of two writers, unless its agent promised.
        case goLive(Placement, Epoch, [StagedVolume], ActivationChoice, FormerSite?)
        case finish(ActivationAnswer)
        /// It is live there already; `start` = but not all of it was started.
        case already(ApplicationRecord, start: Bool)
    }

    let order: ActivationOrder
    let target: Duration?
    let home: ClusterName
    let source: ClusterName
    let destination: ClusterName

    private var choice: ActivationChoice?
    private var facts: Facts?
    private var epoch = Epoch.first
    private var placement: Placement?
    private var staged: [StagedVolume] = []

    init(order: ActivationOrder, target: Duration?, home: ClusterName, source: ClusterName, destination: ClusterName) {
        self.order = order
        self.target = target
        self.home = home
        self.source = source
        self.destination = destination
    }

    mutating func begin() -> Command { .recall }

    /// Throws what refuses the activation; nothing was changed then, unless a fence was asked for before.
    mutating func handle(_ event: Event) throws(DRError) -> Command {
        switch event {
        case .recalled(let choice, let answer):
            if let answer { return .finish(answer) }
            self.choice = choice
            return .read(source: order.mode == .planned)
        case .read(let facts): return try judge(facts)
        case .settled(let choice):
            self.choice = choice
            return choice.point.verifiedAt == nil ? .verify(choice.point) : try survey()
        case .verified: return try survey()
        case .surveyed(let survey):
            let placement = try Placement(try chosen().point, at: destination, record: facts?.destination, survey: survey)
            self.placement = placement
            return .quiet(placement)
        case .quieted:
            try placement?.quieted()
            return try afterStaging()
        case .staged(let volume):
            staged.append(volume)
            return try afterStaging()
        case .fenced: return try goLive()
        case .live(let answer): return .finish(answer)
        }
    }

    private func standing(_ facts: Facts) -> Standing {
        var records = facts.others
        records[destination] = facts.destination
        records[source] = facts.source
        return Standing(application: order.application, home: home, records: records)
    }

    private mutating func judge(_ facts: Facts) throws(DRError) -> Command {
        self.facts = facts
        let standing = standing(facts)
        // A point of a younger epoch than any record proves that the application was active elsewhere since.
        let names = Listed(sound: facts.points, damaged: facts.damagedPoints).names(of: order.application)
        let seen = max(standing.epoch, names.map(\.epoch).max() ?? .first)
        if standing.active == destination, standing.epoch(at: destination) == seen {
            let record = standing.effectiveRecord(at: destination)
            return .already(record, start: !record.isComplete)
        }
        // In a disaster as well: another cluster than the one that is lost took it over.
        if facts.others[standing.active]?.epoch == standing.epoch { try standing.requireActive(at: source) }
        epoch = seen.next
        if order.mode == .planned {
            if standing.active == destination, standing.epoch(at: source) == standing.epoch {
                // The source was fenced for this very move, which then was cut off.
                epoch = standing.epoch
            } else {
                try standing.requireActive(at: source)
                guard !standing.effectiveRecord(at: source).running, facts.awake.isEmpty else {
                    throw Self.running(order.application, at: source, facts.awake)
                }
            }
        }
        if let choice {
            try confirm(choice, facts)
            return try handle(.settled(choice))
        }
        return .settle(
            try ActivationChoice(
                for: order, target: target, points: facts.points, damaged: facts.damagedPoints, synced: facts.synced, source: source,
                destination: destination, epoch: epoch, now: facts.now))
    }

    /// Carried on after a crash, perhaps much later: what was chosen must still be true.
    private func confirm(_ choice: ActivationChoice, _ facts: Facts) throws(DRError) {
        let name = order.application
        guard choice.epoch == epoch else {
            throw DRError(
                .fenced,
                "\(name) was moved by somebody else since this activation began: it was to get epoch \(choice.epoch), next is \(epoch)",
                hint: "look at `drrunbook status`, and begin anew", details: standing(facts).whereabouts)
        }
        guard order.mode == .disaster || choice.loss != .exact(.zero) || facts.synced == choice.point.id else {
            throw Self.outdated(choice, of: name, at: source)
        }
    }

    static func running(_ application: ApplicationName, at source: ClusterName, _ awake: [ObjectKey]) -> DRError {
        let names = awake.isEmpty ? "" : " (\(awake.map(\.description).listed))"
        return DRError(
            .conflict, "\(application) is running at \(source)\(names): a planned activation needs it stopped there",
            hint: "quiesce it and migrate it with final = true first")
    }

    static func outdated(_ choice: ActivationChoice, of application: ApplicationName, at source: ClusterName) -> DRError {
        DRError(
            .dataLoss, "\(application) ran at \(source) since \(choice.point.id) was chosen: it no longer holds everything",
            hint: "migrate it with final = true and activate it anew")
    }

    private func chosen() throws(DRError) -> ActivationChoice {
        guard let choice else { throw DRError(.internal, "no recovery point was settled for \(order.application)") }
        return choice
    }

    private func survey() throws(DRError) -> Command {
        let record = facts?.destination ?? .unmoved(at: home)
        let owned = record.owned.compactMap { ObjectKey(reference: $0) }
        return .survey(try chosen().point, owned: owned, byHistory: record.active == destination)
    }

    private func afterStaging() throws(DRError) -> Command {
        let point = try chosen().point
        guard staged.count == point.volumes.count else { return .materialise(point.volumes[staged.count], point) }
        return order.mode == .planned ? .fence(epoch, facts?.source, try chosen()) : try goLive()
    }

    private func goLive() throws(DRError) -> Command {
        guard let placement else { throw DRError(.internal, "\(order.application) has no place at \(destination)") }
        return .goLive(placement, epoch, staged, try chosen(), former(placement))
    }

    /// A risk that the source itself went live with, and that no copy settled, goes along, unless it was of this very cluster, which was just made quiet.
    private func former(_ placement: Placement) -> FormerSite? {
        guard order.mode == .planned else { return order.sourceFenced ? .said : nil }
        return facts?.source?.split_brain_risk == true && placement.survey.deposed == nil ? nil : .fenced
    }
}

/// What is kept with the commit that makes a destination live.
struct ActivationAnswer: Hashable, Codable {
    let point: PointID
    let instant: Instant
    let loss: RecoveryPointObjective
    let epoch: Epoch
    let risk: Bool
    /// Nil also in those of older versions.
    var former: FormerSite?
    /// When every byte of the point was last read back at the destination.
    let verified: Instant?
    /// The effects before that commit's own.
    let before: [Effect]
}
