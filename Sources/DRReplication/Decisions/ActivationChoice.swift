internal import DRModel
internal import DRSupport

/// The recovery point an activation makes live, and what that loses. Settled once for the operation's key, before anything changes.
struct ActivationChoice: Hashable, Codable {
    let point: RecoveryPoint
    let loss: RecoveryPointObjective
    /// The epoch the destination is to get. When it would be another, somebody else has moved the application since.
    let epoch: Epoch
}

extension ActivationChoice {
    /// `points`: newest first. `synced`: the point that holds everything of the stopped source; nil where nobody knows. Throws `no-recovery-point`,
    /// `not-found`, `data-loss`,
    /// `damaged` for the point that was asked for.
    init(
        for order: ActivationOrder, target: Duration?, points: [RecoveryPoint], damaged: [DamagedRecord] = [], synced: PointID?,
        source: ClusterName, destination: ClusterName, epoch: Epoch, now: Instant
    ) throws(DRError) {
        if let wanted = order.point?.text, let found = damaged.first(where: { $0.path.lastName == wanted }) { throw found.error }
        let name = order.application
        let point = try Self.pick(order, from: points, damaged, at: destination)
        let age = now - point.instant
        if point.consistency == .fuzzy, !order.acceptFuzzy {
            let whole = points.first { $0.verifiedAt != nil && $0.consistency != .fuzzy }
            throw DRError(
                .dataLoss, "\(point.id) is fuzzy: files of \(name) were written while they were copied, so they may not fit together",
                hint: whole.map {
                    "the newest that is an instant is \($0.id), \(Self.text(now - $0.instant)) old: recovery_point = \"\($0.id)\", or "
                        + "accept_fuzzy = true"
                } ?? "none at \(destination) is an instant: migrate again, or accept_fuzzy = true")
        }
        self.point = point
        self.epoch = epoch
        switch order.mode {
        case .planned:
            if point.final, point.id == synced {
                loss = .exact(.zero)
                return
            }
            guard let accepted = order.acceptedDataLoss, age <= accepted else {
                throw DRError(
                    .dataLoss,
                    "\(point.id) does not hold everything of \(name), which was stopped at \(source): up to \(Self.text(age)) would be lost",
                    hint: "migrate it with final = true first, or accept the loss")
            }
        case .disaster:
            if let limit = order.acceptedDataLoss ?? target, age > limit {
                throw DRError(
                    .dataLoss,
                    "\(point.id) of \(name) is \(Self.text(age)) old: more than "
                        + (order.acceptedDataLoss == nil ? "its RPO target of \(limit.text)" : "the accepted \(limit.text)"),
                    hint: "accept_data_loss = \"\(Self.rounded(age))\" says yes to it")
            }
        }
        // A point from the future is a clock that is wrong, not data without age.
        loss = age < .zero ? .unknown : .atMost(age)
    }

    static func pick(
        _ order: ActivationOrder, from points: [RecoveryPoint], _ damaged: [DamagedRecord], at destination: ClusterName
    ) throws(DRError) -> RecoveryPoint {
        guard let id = order.point else {
            guard let newest = points.first(where: { $0.verifiedAt != nil }) else {
                if let first = damaged.first { throw first.error }
                throw DRError(
                    .noRecoveryPoint, "\(destination) has no verified recovery point of \(order.application)", hint: "migrate it first")
            }
            return newest
        }
        guard let point = points.first(where: { $0.id == id }) else {
            let names = points.map(\.id.text)
            throw DRError(
                points.isEmpty ? .noRecoveryPoint : .notFound,
                "\(destination) has no recovery point \(id) of \(order.application)\(Spelling.hint(for: id.text, in: names))",
                hint: names.isEmpty ? "migrate it first" : "newest first: \(names.prefix(8).joined(separator: ", "))")
        }
        return point
    }

    private static func text(_ age: Duration) -> String { max(.zero, age).text }
    // Whole minutes upwards: the answer must still hold when it is typed.
    private static func rounded(_ age: Duration) -> String { "\(age.nanoseconds / 60_000_000_000 + 2)m" }
}
