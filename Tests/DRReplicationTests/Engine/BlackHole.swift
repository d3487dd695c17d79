import DRModel
import Testing

/// A cluster that nobody may touch: every call fails the test.
struct BlackHole: Cluster, VolumeStore {
    let name: ClusterName
    var volumes: any VolumeStore { self }

    private func touched(_ call: String) -> DRError {
        Issue.record("\(name) was touched: \(call)")
        return DRError(.clusterUnreachable, "\(name) is gone")
    }

    func facts() async throws -> ClusterFacts { throw touched("facts") }
    func objects(of application: Application) async throws -> [ManifestObject] { throw touched("objects") }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { throw touched("objects") }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { throw touched("object") }
    func document(_ path: DocumentPath) async throws -> Value? { throw touched("document") }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] { throw touched("documents") }
    func commit(_ transaction: Transaction) async throws -> Committed { throw touched("commit") }
    func committed(_ key: OperationKey) async throws -> Committed? { throw touched("committed") }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        throw touched("workload")
    }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws { throw touched("lock") }
    func unlock(run: RunID) async throws { throw touched("unlock") }
    func locks() async throws -> [ApplicationLock] { throw touched("locks") }

    func stat(_ volume: VolumeName) async throws -> VolumeFacts? { throw touched("stat") }
    func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture {
        throw touched("capture")
    }
    func publish(
        _ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore
    ) async throws -> Publication { throw touched("publish") }
    func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception {
        throw touched("receive")
    }
    func verify(_ point: RecoveryPoint) async throws { throw touched("verify") }
    func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] { throw touched("manifests") }
    func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws -> StagedVolume {
        throw touched("materialise")
    }
    func discard(_ key: OperationKey) async throws { throw touched("discard") }
}

/// A store that is gone with its cluster.
struct BlackHoleStore: ObjectStore {
    let name: StoreName

    private func touched() -> DRError {
        Issue.record("store \(name) was touched")
        return DRError(.storeUnreachable, "\(name) is gone")
    }

    func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool { throw touched() }
    func get(_ name: String) async throws -> [UInt8] { throw touched() }
    func exists(_ name: String) async throws -> Bool { throw touched() }
    func list(prefix: String) async throws -> [StoredObject] { throw touched() }
    func delete(_ name: String) async throws { throw touched() }
    func settle(_ names: [String]) async throws { throw touched() }
}
