internal import DRManifest
internal import DRModel

struct OneDefaultStorageClass: Check {
    static let id = "one-default-storage-class"
    static let summary = "No cluster has two default storage classes."

    private static let marks = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]

    func run(in context: CheckContext) async throws -> CheckResult {
        var found: [String] = []
        for end in context.ends {
            let classes = try await end.objects(.kinds(["StorageClass"])).filter { object in
                Self.marks.contains { object.annotations[$0] == "true" }
            }
            if classes.count > 1 { found.append("\(end.name) has \(classes.map(\.key.name).joined(separator: " and "))") }
        }
        guard found.isEmpty else {
            return failed("more than one default storage class: \(found.listed)", fix: "take the mark from all but one")
        }
        return ok("at most one default at each cluster")
    }
}
