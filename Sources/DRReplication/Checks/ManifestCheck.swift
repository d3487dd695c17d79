internal import DRManifest
internal import DRModel

/// A check of the manifests of each application, as they would be at the destination. Each finding is one short text.
protocol ManifestCheck: Check {
    /// What findings mean.
    static var verdict: CheckResult.State { get }
    static var fix: String { get }
    /// What is said where nothing is found.
    static var calm: String { get }

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String]
}

extension ManifestCheck {
    static var verdict: CheckResult.State { .warning }

    func run(in context: CheckContext) async throws -> CheckResult {
        var found: [String] = []
        var unknown: [String] = []
        for application in context.applications {
            guard let manifests = try await context.arriving(application) else {
                unknown.append(application.name.text)
                continue
            }
            found += try await findings(in: manifests, of: application, context)
        }
        if !found.isEmpty { return Self.verdict == .failed ? failed(found.summed, fix: Self.fix) : warning(found.summed, fix: Self.fix) }
        guard unknown.isEmpty else { return skipped("nobody knows the objects of \(unknown.listed): there is no recovery point to read") }
        return ok(Self.calm)
    }
}

extension [String] {
    /// The first of them, in order and each once, and how many more there are.
    var summed: String {
        var seen: Set<String> = []
        let own = filter { seen.insert($0).inserted }
        return own.prefix(6).listed + (own.count > 6 ? " and \(own.count - 6) more" : "")
    }
}
