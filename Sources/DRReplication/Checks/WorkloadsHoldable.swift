internal import DRManifest
internal import DRModel

struct WorkloadsHoldable: Check {
    static let id = "workloads-holdable"
    static let summary = "Everything that runs can be put at rest, and stays so until its volumes are in place."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        var restless: [ObjectKey] = []
        var jobs: [ObjectKey] = []
        var loose: [ObjectKey] = []
        var count = 0
        for application in context.applications {
            let all = try await context.all(application)
            var workloads: [String] = []
            let quiet = try Set(all.compactMap { object throws(DRError) in try Self.restingKind(object) })
            for object in try await context.carried(application) {
                if try HeldWorkload(object) != nil {
                    count += 1
                    workloads.append(object.key.name + "-")
                } else if object.annotations[Manifest.holdAnnotation] != "none" {
                    if object.isCustomResource {
                        if !quiet.contains("\(object.key.kind).\(object.key.group)") { restless.append(object.key) }
                    } else if object.key.kind == "Job" {
                        jobs.append(object.key)
                    }
                }
            }
            loose += try all.filter { try Self.isLoose($0, workloads) }.map(\.key)
        }
        guard restless.isEmpty else {
            return failed(
                "not known how to put at rest, so it would run at both clusters: \(restless.map(\.description).listed)",
                fix:
                    "say it in the annotation \(Manifest.holdAnnotation), such as \"spec.shutdown=true\", or \"none\" where nothing runs; \"none\" on its CustomResourceDefinition is for all of the kind"
            )
        }
        guard jobs.isEmpty else {
            return warning(
                "not known how to put at rest: \(jobs.map(\.description).listed)",
                fix: "say it in the annotation \(Manifest.holdAnnotation), such as \"spec.suspend=true\", or \"none\" where nothing runs")
        }
        guard loose.isEmpty else {
            return warning(
                "neither copied nor stopped, because no workload makes them: \(loose.map(\.description).listed)",
                fix: "let a Deployment or StatefulSet make them, or mark them with drrunbook/skip: \"true\" and see to them by hand")
        }
        return ok(count == 1 ? "1 workload, which can be put at rest" : "\(count) workloads, all of which can be put at rest")
    }

    /// The kind that a definition makes, where it says of all of its kind that they run nothing: `Certificate.cert-manager.io`.
    private static func restingKind(_ object: ManifestObject) throws(DRError) -> String? {
        guard object.key.kind == "CustomResourceDefinition", object.annotations[Manifest.holdAnnotation] == "none" else { return nil }
        let spec = try Manifest(object).root["spec"]
        guard let group = spec?["group"]?.scalar, let kind = spec?["names"]?["kind"]?.scalar else { return nil }
        return "\(kind).\(group)"
    }

    /// A pod that runs by itself: one of a workload has an owner, or at least its name.
    private static func isLoose(_ object: ManifestObject, _ workloads: [String]) throws(DRError) -> Bool {
        guard object.key.kind == "Pod", object.key.group.isEmpty,
            !LeftBehind.skipAnnotations.contains(where: { object.annotations[$0] == "true" })
        else { return false }
        return try Manifest(object).root["metadata"]?["ownerReferences"] == nil && !workloads.contains { object.key.name.hasPrefix($0) }
    }
}
