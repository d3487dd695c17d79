internal import DRModel

/// A cluster that does not answer, for `plan --without`: would we get by if it were gone?
struct UnreachableCluster: Cluster {
    let name: ClusterName
    let lost: LostClusters
    var volumes: any VolumeStore { UnreachableVolumes(cluster: name, lost: lost) }

    func facts() async throws -> ClusterFacts { throw gone("its facts") }
    func objects(of application: Application) async throws -> [ManifestObject] { throw gone("its objects") }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { throw gone("its objects") }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { throw gone("its objects") }
    func document(_ path: DocumentPath) async throws -> Value? { throw gone("its records") }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] { throw gone("its records") }
    func commit(_ transaction: Transaction) async throws -> Committed { throw gone("a change") }
    func committed(_ key: OperationKey) async throws -> Committed? { throw gone("its records") }
    var rules: [RuleName]? { nil }
    func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws { throw gone("its rules") }
    func letGo(_ application: ApplicationName) async throws -> Bool { throw gone("its rules") }
    func onHold() async throws -> [ApplicationName] { throw gone("its rules") }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        throw gone("its processes")
    }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws { throw gone("a lock") }
    func unlock(run: RunID) async throws { throw gone("a lock") }
    func locks() async throws -> [ApplicationLock] { throw gone("its locks") }

    private func gone(_ what: String) -> DRError {
        lost.touch(name, what)
        return DRError(.clusterUnreachable, "\(name) does not answer: the plan was asked for without it")
    }
}

struct UnreachableVolumes: VolumeStore {
    let cluster: ClusterName
    let lost: LostClusters

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

    private var gone: DRError {
        lost.touch(cluster, "its volumes")
        return DRError(.clusterUnreachable, "\(cluster) does not answer: the plan was asked for without it")
    }
}
