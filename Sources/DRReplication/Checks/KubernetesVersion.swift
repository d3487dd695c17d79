internal import DRModel

struct KubernetesVersion: Check {
    static let id = "kubernetes-version"
    static let summary = "The destination serves what the source's version knows."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        let (a, b) = (try await context.requireSource().facts().version, try await context.destination.facts().version)
        guard let from = Self.parts(a), let to = Self.parts(b) else {
            return a == b
                ? ok("both are \(a)")
                : warning(
                    "\(context.sourceName) is \(a), \(context.destination.name) is \(b)", fix: "see that both serve the same API versions")
        }
        if from == to { return ok("\(a) and \(b)") }
        let message = "\(context.sourceName) is \(a), \(context.destination.name) is \(b)"
        guard from.major == to.major, abs(from.minor - to.minor) <= 2 else {
            return failed(message, fix: "bring both within two minor versions: API versions come and go between them")
        }
        return warning(message, fix: "upgrade the older one, so that both serve the same API versions")
    }

    // `v1.31.4+k3s1` is 1.31.
    static func parts(_ version: String) -> (major: Int, minor: Int)? {
        let numbers = version.drop { !$0.isNumber }.split(separator: ".").map { Int($0.prefix { $0.isNumber }) }
        guard numbers.count >= 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        return (major, minor)
    }
}
