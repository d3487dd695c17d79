internal import DRManifest
internal import DRModel

struct OperatorsApart: Check {
    static let id = "operators-apart"
    static let summary = "Operators that serve the whole cluster are in namespaces of their own, and installed at both clusters."
    static let asksSource = true

    private static let systems = ["openshift-operators", "operators", "olm", "operator-lifecycle-manager", "kube-system", "kube-public"]

    func run(in context: CheckContext) async throws -> CheckResult {
        var wide: [String] = []
        var own: [String] = []
        for application in context.applications {
            let namespaces = application.namespaces(at: context.sourceName)
            wide += namespaces.filter { Self.systems.contains($0) || $0.hasPrefix("openshift-") }.map {
                "\(application.name) holds the namespace \($0)"
            }
            let parts = try await context.all(application).filter { $0.key.group == "operators.coreos.com" }
            let groups = parts.filter { $0.key.kind == "OperatorGroup" }
            var wideNamespaces: Set<String> = []
            for group in groups where try Manifest(group).root[["spec", "targetNamespaces"]]?.items?.isEmpty ?? true {
                wideNamespaces.insert(group.key.namespace ?? "")
            }
            for object in parts where object.key.kind == "Subscription" {
                if wideNamespaces.contains(object.key.namespace ?? "") {
                    wide.append("\(object.key) serves the whole cluster")
                } else {
                    own.append(object.key.description)
                }
            }
        }
        guard wide.isEmpty else {
            return failed(wide.summed, fix: "install such operators in a namespace of their own at both clusters, outside the application")
        }
        guard own.isEmpty else {
            return warning("not copied: \(own.summed)", fix: "see that \(context.destination.name) has the same operators")
        }
        return ok("no operator among the applications")
    }
}
