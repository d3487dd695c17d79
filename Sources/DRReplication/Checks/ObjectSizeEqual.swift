internal import DRModel

struct ObjectSizeEqual: Check {
    static let id = "object-size-equal"
    static let summary = "Both clusters cut data into objects of one size."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        let (a, b) = (try await context.requireSource().facts().objectSize, try await context.destination.facts().objectSize)
        guard a != b else { return ok("both use \(a)") }
        return failed(
            "\(context.sourceName) uses \(a), \(context.destination.name) uses \(b)",
            fix: "set one objectSize in both cluster.yaml: what was cut with one size cannot fail over or back with the other")
    }
}
