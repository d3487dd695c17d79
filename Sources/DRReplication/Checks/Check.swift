internal import DRModel

/// One question whose answer says whether a move would work. It reads, and changes nothing.
protocol Check: Sendable {
    /// As `only` and `skip` name it.
    static var id: String { get }
    static var summary: String { get }
    /// Needs the source, so it is skipped where the source must not be touched.
    static var asksSource: Bool { get }
    /// What a person types next when it is not ok, after `drrunbook`; a finding may name something nearer.
    static var next: String { get }

    init()
    /// Throws what a port throws; the caller makes an answer of it.
    func run(in context: CheckContext) async throws -> CheckResult
}

extension Check {
    static var asksSource: Bool { false }
    // Most are mended in a manifest or at a cluster; then it is asked again.
    static var next: String { "ready --only \(id)" }

    func ok(_ message: String) -> CheckResult { CheckResult(id: Self.id, state: .ok, message: message) }

    func warning(_ message: String, fix: String, next: String = Self.next) -> CheckResult {
        CheckResult(id: Self.id, state: .warning, message: message, fix: fix, next: "drrunbook \(next)")
    }

    func failed(_ message: String, fix: String, next: String = Self.next) -> CheckResult {
        CheckResult(id: Self.id, state: .failed, message: message, fix: fix, next: "drrunbook \(next)")
    }

    func skipped(_ reason: String) -> CheckResult { CheckResult(id: Self.id, state: .skipped, message: reason) }
}

enum Checks {
    /// In the order in which they are run and shown.
    static let all: [any Check.Type] = [
        ClustersReachable.self,
        ObjectStoreReachable.self,
        StoreKeysPresent.self,
        PairSettled.self,
        OneStorePerCouple.self,
        SamePlatform.self,
        KubernetesVersion.self,
        ObjectSizeEqual.self,
        SecretsProviderEqual.self,
        OneDefaultStorageClass.self,
        ClocksAgree.self,
        RecordsReadable.self,
        LockFree.self,
        LocksLive.self,
        SourceActive.self,
        RiskSettled.self,
        AgentAlive.self,
        DivergenceSeen.self,
        ClaimsBound.self,
        ClaimsUnshared.self,
        VolumesPresent.self,
        VolumesSupported.self,
        DirectAccessVolumes.self,
        ProxyVolumes.self,
        LocalVolumes.self,
        StorageClassesPresent.self,
        WorkloadsHoldable.self,
        RestRemembered.self,
        JobsSettled.self,
        OperatorsApart.self,
        CustomResourcesServed.self,
        VirtualMachineVolumes.self,
        APIVersionsServed.self,
        ReferencesPresent.self,
        ImagesReachable.self,
        NamespacesSettled.self,
        NoForeignObjects.self,
        ClusterObjectsEqual.self,
        NodePortsFree.self,
        IngressHostsFree.self,
        FixedAddresses.self,
        NetworkPoliciesPortable.self,
        NotManagedByGit.self,
        ProjectsMapped.self,
        TransformsApply.self,
        Capacity.self,
        Scheduled.self,
        SchedulesApart.self,
        ScheduleNotRunning.self,
        RecoveryPointFresh.self,
        PointVerified.self,
    ]
}
