public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// Sets the pair up at both clusters. Throws `conflict` and names the field where a pair of this name is there but different.
    public func ensurePair(_ pair: ClusterPair, _ call: EngineCall) async throws -> PairReport {
        try validate(pair)
        let ends = [try cluster(pair.source), try cluster(pair.destination)]
        let value = try Value(encoding: pair)
        // Both are looked at before either is changed.
        for end in ends where try await end.committed(call.key.part("pair")) == nil {
            guard let present = try await end.document(.pair(pair.name)), present != value else { continue }
            throw difference("pair \(pair.name)", present: present, wanted: value, at: end.name)
        }
        var changed = false
        for end in ends {
            let committed = try await once(at: end, call.key.part("pair"), call.effects) {
                guard try await end.document(.pair(pair.name)) == nil else { return nil }
                return Transaction(
                    call.key.part("pair"), guards: [.document(.pair(pair.name), nil)], changes: [.write(.pair(pair.name), value)],
                    effects: [Effect(.create, kind: "ClusterPair", name: pair.name.text, at: end.name)])
            }
            changed = changed || committed != nil
            failpoint("engine.pair.created")
        }
        if inventory.pair(pair.name) == nil { assertedPairs[pair.name] = pair }
        return PairReport(name: pair.name, source: pair.source, destination: pair.destination, changed: changed)
    }

    func validate(_ pair: ClusterPair) throws {
        _ = try cluster(pair.source)
        _ = try cluster(pair.destination)
        guard pair.source != pair.destination else {
            throw DRError(.invalidInput, "pair \(pair.name) leads from \(pair.source) to itself", hint: "name two clusters")
        }
        guard stores[pair.objectStore] != nil else {
            throw unknown("object store", pair.objectStore.text, among: stores.keys.map(\.text))
        }
        if let declared = inventory.pair(pair.name), declared != pair {
            throw difference("pair \(pair.name)", present: try Value(encoding: declared), wanted: try Value(encoding: pair), at: nil)
        }
    }

    /// Names the first member, in bytewise order, in which two records differ.
    func difference(_ what: String, present: Value, wanted: Value, at cluster: ClusterName?) -> DRError {
        let members = Set((present.map ?? [:]).keys).union((wanted.map ?? [:]).keys).sorted()
        let field = members.first { present[$0] != wanted[$0] } ?? "content"
        let place = cluster.map { "exists at \($0)" } ?? "is declared in dr.yaml"
        return DRError(
            .conflict, "\(what) \(place) with \(field) = \(present[field].json(.plain)), not \(wanted[field].json(.plain))",
            hint: "ask for what is there, or use another name")
    }
}
