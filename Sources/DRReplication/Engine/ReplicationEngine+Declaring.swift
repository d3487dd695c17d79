public import DRModel
internal import DRSupport

// dr.yaml declares pairs and schedules: what stands at the clusters is made like it.
extension ReplicationEngine {
    /// Makes pairs and schedules as dr.yaml declares them: what is missing is created, what differs is changed, and what an earlier call made and dr.yaml no
    /// longer declares is removed. A schedule stays suspended or not. What runbooks made by themselves is left alone. `owner`: which dr.yaml this is; a
    /// schedule of another one is removed only where all its applications are declared here. `shown`: what a person said yes to; what is to be changed beyond
    /// it throws `conflict`. Nil: everything.
    public func declare(
        as owner: String, shown: [Effect]? = nil, _ call: EngineCall
    ) async throws -> (pairs: [PairReport], schedules: [ScheduleReport]) {
        let order = Declaration(owner: owner, shown: shown.map(Set.init), call: call)
        for pair in inventory.pairs { try validate(pair) }
        for schedule in inventory.schedules { try validate(schedule) }
        var declared: Set<Declared.Place> = []
        var pairs: [PairReport] = []
        var schedules: [ScheduleReport] = []
        for pair in inventory.pairs {
            var changed = false
            for end in [pair.source, pair.destination] {
                let place = Declared.Place(kind: .pair, name: pair.name.text, cluster: end)
                declared.insert(place)
                if try await settle(Declared(place: place, value: try Value(encoding: pair)), order) != nil { changed = true }
            }
            pairs.append(PairReport(name: pair.name, source: pair.source, destination: pair.destination, changed: changed))
        }
        for schedule in inventory.schedules {
            let destination = try await direction(schedule.pair, reversed: false).destination.name
            let place = Declared.Place(kind: .schedule, name: schedule.name.text, cluster: destination)
            declared.insert(place)
            let changed = try await settle(Declared(place: place, value: try Value(encoding: schedule)), order)
            let stands = try await cluster(destination).document(place.path)
            schedules.append(
                ScheduleReport(
                    name: schedule.name, pair: schedule.pair, applications: schedule.applications,
                    suspended: stands?["suspended"].bool ?? schedule.suspended, changed: changed != nil))
        }
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                for kind in [Declared.Kind.schedule, .pair] {
                    for note in try await cluster.documents(in: kind.notes) {
                        let place = Declared.Place(kind: kind, name: note.lastName, cluster: cluster.name)
                        if !declared.contains(place) { try await remove(place, order) }
                    }
                }
            } catch let error as DRError where error.code == .clusterUnreachable { continue }
        }
        return (pairs, schedules)
    }

    private struct Declaration {
        let owner: String
        let shown: Set<Effect>?
        let call: EngineCall

        /// Each commit is guarded by what it was made from, so what is checked here is what is changed.
        func require(_ effects: [Effect]) throws {
            guard let shown, let other = effects.first(where: { !shown.contains($0) }) else { return }
            throw ReplicationEngine.notShown(other)
        }
    }

    public static func notShown(_ effect: Effect) -> DRError {
        DRError(
            .conflict, "\"\(effect.text)\" was not among what was shown: somebody changed something there meanwhile",
            hint: "look at it with `drrunbook apply` once more")
    }

    /// A pair or schedule as it is to stand at one cluster.
    private struct Declared {
        enum Kind: String {
            case pair = "ClusterPair"
            case schedule = "Schedule"
            /// Beside each that was made from a dr.yaml: from which.
            var notes: DocumentPath { DocumentPath("declared", self == .pair ? "pairs" : "schedules") }
            var records: DocumentPath { self == .pair ? .pairs : .schedules }
        }
        struct Place: Hashable {
            let kind: Kind
            let name: String
            let cluster: ClusterName
            var path: DocumentPath { DocumentPath(kind.records.text, name) }
            var note: DocumentPath { DocumentPath(kind.notes.text, name) }
        }
        let place: Place
        let value: Value
    }

    /// Nil when it stands there as declared.
    private func settle(_ declared: Declared, _ order: Declaration) async throws -> Bool? {
        let place = declared.place
        let cluster = try cluster(place.cluster)
        let present = try await cluster.document(place.path)
        var members = declared.value.map ?? [:]
        // A person's word, which `setSuspended` takes down.
        if place.kind == .schedule, let suspended = present?["suspended"].bool { members["suspended"] = .bool(suspended) }
        let value = Value.map(members)
        let note: Value = ["from": .string(order.owner)]
        let noted = try await cluster.document(place.note)
        guard present != value || noted != note else { return nil }
        var transaction = Transaction(
            order.call.key.part("\(place.kind.notes.lastName)-\(place.name)-\(place.cluster)"),
            guards: [.document(place.path, present), .document(place.note, noted)],
            changes: [.write(place.path, value), .write(place.note, note)])
        if present != value {
            let names = members.keys.filter { present?[$0] != members[$0] }.sorted().joined(separator: ",")
            transaction.effects = [
                Effect(
                    present == nil ? .create : .patch, kind: place.kind.rawValue, name: place.name, to: present == nil ? nil : names,
                    at: place.cluster)
            ]
        }
        try order.require(transaction.effects)
        visit(cluster, order.call.key)
        order.call.effects.record(try await cluster.commit(transaction).effects)
        failpoint("engine.declare.settled")
        return present == value ? nil : true
    }

    private func remove(_ place: Declared.Place, _ order: Declaration) async throws {
        let cluster = try cluster(place.cluster)
        let noted = try await cluster.document(place.note)
        let present = try await cluster.document(place.path)
        if noted?["from"].string != order.owner {
            // Somebody else's, as far as we know.
            guard place.kind == .schedule, let present, let schedule = try? present.decoded(as: Schedule.self),
                schedule.applications.allSatisfy({ inventory.application($0) != nil })
            else { return }
        }
        var transaction = Transaction(
            order.call.key.part("remove-\(place.kind.notes.lastName)-\(place.name)-\(place.cluster)"),
            guards: [.document(place.path, present), .document(place.note, noted)],
            changes: [.remove(place.path), .remove(place.note)])
        if place.kind == .schedule { transaction.changes.append(.remove(.scheduled(try ScheduleName(place.name)))) }
        if present != nil { transaction.effects = [Effect(.delete, kind: place.kind.rawValue, name: place.name, at: place.cluster)] }
        try order.require(transaction.effects)
        visit(cluster, order.call.key)
        order.call.effects.record(try await cluster.commit(transaction).effects)
        failpoint("engine.declare.removed")
    }
}
