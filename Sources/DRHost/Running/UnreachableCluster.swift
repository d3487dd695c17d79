internal import DRModel

/// A cluster that does not answer, for `plan --without`: would we get by if it were gone?
struct UnreachableCluster: Cluster {
    let name: ClusterName
    var volumes: any VolumeStore { UnreachableVolumes(cluster: name) }

    func facts() async throws -> ClusterFacts { throw gone }
    func objects(of application: Application) async throws -> [ManifestObject] { throw gone }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { throw gone }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { throw gone }
    func document(_ path: DocumentPath) async throws -> Value? { throw gone }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] { throw gone }
    func commit(_ transaction: Transaction) async throws -> Committed { throw gone }
    func committed(_ key: OperationKey) async throws -> Committed? { throw gone }
    var rules: [RuleName]? { nil }
    func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws { throw gone }
    func letGo(_ application: ApplicationName) async throws -> Bool { throw gone }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState { throw gone }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws { throw gone }
    func unlock(run: RunID) async throws { throw gone }
    func locks() async throws -> [ApplicationLock] { throw gone }

    private var gone: DRError { UnreachableVolumes(cluster: name).gone }
}

struct UnreachableVolumes: VolumeStore {
    let cluster: ClusterName

    func stat(_ volume: VolumeName) async throws -> VolumeFacts? { throw gone }
    func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture {
        throw gone
    }
    func publish(
        _ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore
    ) async throws -> Publication { throw gone }
    func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception { throw gone }
    func verify(_ point: RecoveryPoint) async throws { throw gone }
    func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] { throw gone }
    func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws -> StagedVolume {
        throw gone
    }
    func discard(_ key: OperationKey) async throws { throw gone }

    var gone: DRError { DRError(.clusterUnreachable, "\(cluster) does not answer: the plan was asked for without it") }
}
