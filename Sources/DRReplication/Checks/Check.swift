internal import DRModel

/// One question whose answer says whether a move would work. It reads, and changes nothing.
protocol Check: Sendable {
    /// As `only` and `skip` name it.
    static var id: String { get }
    static var summary: String { get }
    /// Needs the source, so it is skipped where the source must not be touched.
    static var asksSource: Bool { get }

    init()
    /// Throws what a port throws; the caller makes an answer of it.
    func run(in context: CheckContext) async throws -> CheckResult
}

extension Check {
    static var asksSource: Bool { false }

    func ok(_ message: String) -> CheckResult { CheckResult(id: Self.id, state: .ok, message: message) }
    func warning(_ message: String, fix: String) -> CheckResult { CheckResult(id: Self.id, state: .warning, message: message, fix: fix) }
    func failed(_ message: String, fix: String) -> CheckResult { CheckResult(id: Self.id, state: .failed, message: message, fix: fix) }
    func skipped(_ reason: String) -> CheckResult { CheckResult(id: Self.id, state: .skipped, message: reason) }
}

enum Checks {
    /// In the order in which they are run and shown.
    static let all: [any Check.Type] = [
        ClustersReachable.self,
        ObjectStoreReachable.self,
        SamePlatform.self,
        KubernetesVersion.self,
        ObjectSizeEqual.self,
        SecretsProviderEqual.self,
        LockFree.self,
        SourceActive.self,
        ClaimsBound.self,
        VolumesPresent.self,
        VolumesSupported.self,
        WorkloadsHoldable.self,
        NoForeignObjects.self,
        Capacity.self,
        ScheduleNotRunning.self,
        RecoveryPointFresh.self,
    ]
}
