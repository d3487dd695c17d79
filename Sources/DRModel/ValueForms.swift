// What is written or read most, as `Codable` does it, member by member: a container for each of them costs ten times as much.

extension CheckResult {
    var value: Value {
        var members: [String: Value] = ["id": .string(id), "state": .string(state.rawValue), "message": .string(message)]
        if let fix { members["fix"] = .string(fix) }
        if let next { members["next"] = .string(next) }
        return .map(members)
    }
}

extension RecoveryPoint {
    var value: Value {
        var members: [String: Value] = [
            "id": .string(id.text), "application": .string(application.text), "epoch": .integer(epoch.number),
            "generation": .integer(generation), "source": .string(source.text), "instant": .instant(instant),
            "consistency": .string(consistency.rawValue), "volumes": .list(volumes.map(\.value)), "manifests": .string(manifests.text),
            "final": .bool(final),
        ]
        if let verifiedAt { members["verifiedAt"] = .instant(verifiedAt) }
        return .map(members)
    }

    /// Nil for what does not fit: decoding it says why.
    init?(_ value: Value) {
        guard let members = value.map, let id = PointID(members["id"]), let application = ApplicationName(members["application"]),
            let epoch = members["epoch"]?.integer, let generation = members["generation"]?.integer,
            let source = ClusterName(members["source"]), case .instant(let instant)? = members["instant"],
            let consistency = members["consistency"]?.string.flatMap(Consistency.init), let list = members["volumes"]?.list,
            let manifests = members["manifests"]?.string, let final = members["final"]?.bool,
            case let volumes = list.compactMap(PointVolume.init), volumes.count == list.count
        else { return nil }
        let verifiedAt: Instant?
        switch members["verifiedAt"] {
        case nil, .null?: verifiedAt = nil
        case .instant(let instant)?: verifiedAt = instant
        default: return nil
        }
        self.init(
            id: id, application: application, epoch: Epoch(epoch), generation: generation, source: source, instant: instant,
            consistency: consistency, volumes: volumes, manifests: ContentToken(manifests), verifiedAt: verifiedAt, final: final)
    }
}

extension PointVolume {
    fileprivate var value: Value {
        ["name": .string(name.text), "kind": .string(kind.rawValue), "content": .string(content.text), "size": .integer(size.bytes)]
    }

    fileprivate init?(_ value: Value) {
        guard let members = value.map, let name = VolumeName(members["name"]),
            let kind = members["kind"]?.string.flatMap(VolumeKind.init), let content = members["content"]?.string,
            let size = members["size"]?.integer
        else { return nil }
        self.init(name: name, kind: kind, content: ContentToken(content), size: ByteCount(size))
    }
}

extension Name {
    fileprivate init?(_ value: Value?) {
        guard let text = value?.string, let name = try? Name(text) else { return nil }
        self = name
    }
}
