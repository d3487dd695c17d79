internal import DRModel
internal import DRSupport

/// What was put right in own copies on the way through one operation, for its report.
final class Mended: Sendable {
    private let lines = Lock<[String]>([])
    var warnings: [String] { lines.withLock { $0 } }
    func tell(_ line: String) { lines.withLock { $0.append(line) } }
}

extension ReplicationEngine {
    /// Reads of a point. Where its own copy turns out damaged, what is sound in the store is brought from there, and it is read once more.
    ///
    /// A store that cannot help changes nothing of what is wrong: then that is what it throws.
    func mending<Result>(
        _ point: RecoveryPoint, at cluster: any Cluster, from name: StoreName, _ mended: Mended, _ call: EngineCall,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do { return try await body() } catch var error as DRError where error.code == .damaged {
            do { try await makeScrubDue(point.application, at: cluster, call) } catch let failure as DRError {
                mended.tell("\(point.application): its own copy at \(cluster.name) is not read before its time: \(failure.message)")
            }
            let objects: [String]
            do {
                guard let store = stores[name] else { throw unknown("object store", name.text, among: stores.keys.map(\.text)) }
                objects = try await cluster.volumes.mend(point, from: store)
            } catch let failure as DRError where failure.code == .locked {
                // The store may have all that is missing: nobody should give up newer data because a copy is being read.
                throw DRError(
                    .locked, "\(error.message); store \(name) was not asked yet: \(failure.message)",
                    hint: "wait until that is done, or end it, then `drrunbook resume`")
            } catch let failure as DRError {
                error.hint = "store \(name) could not put it right (\(failure.message)); use an earlier recovery point"
                throw error
            }
            if objects.isEmpty { throw error }
            mended.tell(
                "\(point.application): the own copy at \(cluster.name) was damaged; \(objects.count) "
                    + (objects.count == 1 ? "object was" : "objects were") + " brought anew from store \(name): \(objects[0])")
            failpoint("engine.mended")
            return try await body()
        }
    }

    /// Where something turned out damaged, the rest is not believed for the rest of the week.
    private func makeScrubDue(_ application: ApplicationName, at cluster: any Cluster, _ call: EngineCall) async throws {
        let path = DocumentPath.scrubbed(application)
        _ = try await once(at: cluster, call.key.part("scrub-due"), EffectLog()) {
            guard let present = try await cluster.document(path) else { return nil }
            return Transaction(call.key.part("scrub-due"), guards: [.document(path, present)], changes: [.remove(path)])
        }
    }
}
