internal import DRModel

/// What a cluster's document `state/applications/NAME` says: who may write, and what is held here. Observable state, so no clock, run id or random.
struct ApplicationRecord: Hashable, Codable {
    var epoch: Epoch
    var active: ClusterName
    /// False from the commit that holds its workloads to the moment when the first of them may start again: while it is false, nothing writes.
    var running: Bool
    /// What was held, by `ObjectKey.reference`: replicas, or `suspend:false`. A start restores it, and empties this when all are ready.
    var originals: [String: String]
    /// Objects here that are the application's own (`ObjectKey.reference`, in bytewise order): an activation may replace or remove them.
    var owned: [String]
    var split_brain_risk: Bool
    /// What transforms changed here, by `ObjectKey.reference` and JSON pointer; nil = nothing.
    var transformed: [String: [String: ValueChange]]?

    init(
        epoch: Epoch, active: ClusterName, running: Bool, originals: [String: String] = [:], owned: [String] = [],
        split_brain_risk: Bool = false
    ) {
        self.epoch = epoch
        self.active = active
        self.running = running
        self.originals = originals
        self.owned = owned
        self.split_brain_risk = split_brain_risk
    }

    /// Where no cluster has a record, the application was never moved: it runs at its pair's source.
    static func unmoved(at home: ClusterName) -> ApplicationRecord { ApplicationRecord(epoch: .first, active: home, running: true) }

    /// Everything that was to start did.
    var isComplete: Bool { running && originals.isEmpty }

    /// As `Codable` writes it, member by member: of all documents this one is written and read most, a dozen times for each move.
    func value() throws -> Value {
        var members: [String: Value] = [
            "epoch": .integer(epoch.number), "active": .string(active.text), "running": .bool(running),
            "originals": .map(originals.mapValues(Value.string)), "owned": .list(owned.map(Value.string)),
            "split_brain_risk": .bool(split_brain_risk),
        ]
        if let transformed { members["transformed"] = try Value(encoding: transformed) }
        return .map(members)
    }

    /// Throws what decoding throws that names the place of what does not fit.
    init(_ value: Value) throws {
        guard let members = value.map, let epoch = members["epoch"]?.integer, let running = members["running"]?.bool,
            let active = members["active"]?.string.flatMap({ try? ClusterName($0) }), let owned = members["owned"]?.list,
            let originals = members["originals"]?.map, let risk = members["split_brain_risk"]?.bool,
            case let ownedTexts = owned.compactMap(\.string), ownedTexts.count == owned.count,
            case let originalTexts = originals.compactMapValues(\.string), originalTexts.count == originals.count
        else {
            self = try value.decoded(as: ApplicationRecord.self)
            return
        }
        self.init(
            epoch: Epoch(epoch), active: active, running: running, originals: originalTexts, owned: ownedTexts, split_brain_risk: risk)
        if let transformed = members["transformed"], !transformed.isNull {
            self.transformed = try transformed.decoded(as: [String: [String: ValueChange]].self)
        }
    }
}

extension ObjectKey {
    /// `StatefulSet.apps shop-db/pg`: names the object with its group, and can be read back.
    var reference: String { "\(kind)\(group.isEmpty ? "" : "." + group) \(namespace.map { $0 + "/" } ?? "")\(name)" }

    init?(reference: String) {
        guard let space = reference.firstIndex(of: " ") else { return nil }
        let type = reference[..<space]
        let place = reference[reference.index(after: space)...]
        let dot = type.firstIndex(of: ".")
        let slash = place.firstIndex(of: "/")
        self.init(
            group: dot.map { String(type[type.index(after: $0)...]) } ?? "", kind: String(dot.map { type[..<$0] } ?? type),
            namespace: slash.map { String(place[..<$0]) }, name: String(slash.map { place[place.index(after: $0)...] } ?? place))
    }
}
