internal import DRManifest
public import DRModel
internal import DRSupport

extension ReplicationEngine {
    public func objects(_ order: ObjectOrder, _ call: EngineCall) async throws -> [Value] {
        try await found(order).map { try Manifest($0).root.value }
    }

    private func found(_ order: ObjectOrder) async throws -> [ManifestObject] {
        let kind = order.kind.split(separator: ".").first.map(String.init) ?? order.kind
        return try await cluster(order.cluster).objects(.kinds([kind])).filter { order.selects($0.key) }
    }

    private func one(_ order: ObjectOrder) async throws -> ManifestObject {
        let objects = try await found(order)
        guard let object = objects.first else { throw try await missing(order) }
        guard objects.count == 1 else {
            throw DRError(
                .invalidInput,
                "\(order.text) names \(objects.count) objects of \(order.cluster): \(objects.map(\.key.description).joined(separator: ", "))",
                hint: "say its namespace, or its kind with the group")
        }
        return object
    }

    // With the nearest object of its kind, or where there is none of it, the nearest kind of the applications.
    private func missing(_ order: ObjectOrder) async throws -> DRError {
        let cluster = try cluster(order.cluster)
        let kind = order.kind.split(separator: ".").first.map(String.init) ?? order.kind
        func place(_ namespace: String?, _ name: String) -> String { (namespace.map { "\($0)/" } ?? "") + name }
        var (asked, known) = (
            place(order.namespace, order.name ?? ""), try await cluster.objects(.kinds([kind])).map { place($0.key.namespace, $0.key.name) }
        )
        if known.isEmpty {
            asked = kind
            for application in inventory.applications { known += try await cluster.objects(of: application).map(\.key.kind) }
        }
        return DRError(.notFound, "\(order.cluster) has no \(order.text)\(Spelling.hint(for: asked, in: Set(known)))")
    }

    /// A workload is ready when its processes say so; anything else when its status has the condition.
    public func waitReady(_ order: ObjectOrder, condition: String, timeout: Duration, _ call: EngineCall) async throws -> Instant {
        let cluster = try cluster(order.cluster)
        let deadline = clock.now() + timeout
        while true {
            let object = try await one(order)
            let state: String
            if let workload = try HeldWorkload(object), workload.runs, condition == "Ready" {
                let found = workload.replicas == 0 ? .stopped : try await cluster.workload(.ready, object, replicas: workload.replicas)
                if found == .ready || found == .virtual && workload.replicas > 0 { return clock.now() }
                state = found.rawValue
            } else {
                let conditions = try Manifest(object).root[["status", "conditions"]]?.items ?? []
                let status = conditions.first { $0["type"]?.scalar == condition }?["status"]?.scalar
                if status == "True" { return clock.now() }
                state = status.map { "\(condition)=\($0)" } ?? "without a condition \(condition)"
            }
            guard clock.now() < deadline else {
                throw DRError(.timeout, "\(object.key) at \(cluster.name) is \(state) after \(timeout.text)")
            }
            try await clock.sleep(for: .seconds(1))
        }
    }

    /// Only where the application is live, in its present epoch: a run that was overtaken is refused.
    public func patch(_ order: PatchOrder, _ call: EngineCall) async throws -> PatchReport {
        let cluster = try cluster(order.object.cluster)
        let application = try application(order.application)
        try await lock(application.name, at: [cluster], for: call.holder)
        return try await inTurn(application.name) {
            let key = call.key.part("patch")
            if let earlier = try await cluster.committed(key) {
                call.effects.record(earlier.effects)
                return PatchReport(changed: true, inverse: earlier.answer)
            }
            let record = try await cluster.record(of: application.name)
            // Its own record may be of an older epoch: others that answer know better.
            var records = try await recordsElsewhere(of: application.name, than: [cluster.name])
            records[cluster.name] = record
            let standing = Standing(application: application.name, home: home(of: application.name) ?? cluster.name, records: records)
            guard standing.active == cluster.name, standing.epoch(at: cluster.name) == standing.epoch else {
                throw DRError(
                    .fenced, "\(application.name) is active at \(standing.active), not at \(cluster.name)",
                    hint: "patch it there", details: standing.whereabouts)
            }
            let object = try await one(order.object)
            guard try await cluster.objects(of: application).contains(where: { $0.key == object.key }) else {
                throw DRError(
                    .notAllowed, "\(object.key) is no object of \(application.name)", hint: "see its namespaces and labels in dr.yaml")
            }
            var patch = ObjectPatch(try Manifest(object))
            try patch.apply(order.patch, at: [])
            guard patch.manifest.text != object.text else { return PatchReport(changed: false, inverse: [:]) }
            guard patch.manifest.key == object.key else {
                throw DRError(.invalidInput, "a patch cannot change what \(object.key) is called")
            }
            let committed = try await cluster.commit(
                Transaction(
                    key, guards: [.epoch(application.name, record?.epoch ?? .first), .object(object.key, text: object.text)],
                    changes: [.put(patch.manifest.object)], effects: [Effect(.patch, object.key, at: cluster.name)],
                    answer: patch.inverse))
            call.effects.record(committed.effects)
            failpoint("engine.patch.made")
            return PatchReport(changed: true, inverse: patch.inverse)
        }
    }
}
