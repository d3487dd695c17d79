public import DRModel
internal import DRReplication

extension Host {
    /// Asks all checks of the applications, all of them when none is named, in the direction in which each would move: away from where it is live, over every
    /// pair that leads away. Changes nothing.
    ///
    /// `only`: ids of checks; nil = all. `disaster`: the cluster where an application is live is taken as lost, and not touched by the checks. Throws `unknown-name`, and what `status` throws.
    public func ready(_ applications: [ApplicationName] = [], only: [String]? = nil, disaster: Bool = false) async throws -> [Readiness] {
        let engine = engine(over: world)
        let statuses = try await status(of: applications)
        let routes = Routes(statuses, configuration.inventory)
        var found = routes.stranded.map { status in
            Readiness(
                application: status.name, route: nil,
                checks: [
                    CheckResult(
                        id: "way-out", state: .failed, message: "no pair leads away from \(status.active_at?.text ?? "where it is")",
                        fix: "declare a pair that does, or set bothWays: true on the one that led there", next: "drrunbook apply")
                ])
        }
        for (route, names) in routes.taken {
            found += try await readiness(of: names, over: route, only, disaster, engine)
        }
        return found.sorted { ($0.application.text, $0.route?.pair.text ?? "") < ($1.application.text, $1.route?.pair.text ?? "") }
    }

    /// All are asked together, since what is read then is read once; what is not ok is asked again for each, so that it stands with the application it is about.
    private func readiness(
        of names: [ApplicationName], over route: Readiness.Route, _ only: [String]?, _ disaster: Bool, _ engine: ReplicationEngine
    ) async throws -> [Readiness] {
        func ask(_ names: [ApplicationName], _ only: [String]?) async throws -> [CheckResult] {
            let order = CheckOrder(pair: route.pair, reversed: route.reversed, applications: names, only: only, withoutSource: disaster)
            return try await engine.checks(order, try observation("ready"))
        }
        let together = try await ask(names, only)
        let open = together.filter { $0.state != .ok && $0.state != .skipped }.map(\.id)
        guard names.count > 1, !open.isEmpty else {
            return names.map { Readiness(application: $0, route: route, checks: together) }
        }
        var alone: [ApplicationName: [String: CheckResult]] = [:]
        for name in names {
            let results = try await ask([name], open)
            alone[name] = Dictionary(results.map { ($0.id, $0) }) { first, _ in first }
        }
        // What is wrong with none of them alone is wrong between them.
        let shared = Set(open.filter { id in !alone.values.contains { $0[id].map { $0.state != .ok } ?? false } })
        return names.map { name in
            Readiness(
                application: name, route: route,
                checks: together.map { shared.contains($0.id) ? $0 : alone[name]?[$0.id] ?? $0 })
        }
    }
}

/// What the checks say of one application in one direction.
public struct Readiness: Sendable {
    public struct Route: Sendable, Hashable {
        public let pair: PairName
        public let reversed: Bool
        public let source: ClusterName
        public let destination: ClusterName
    }

    public let application: ApplicationName
    /// Nil: there is no way out of the cluster where it is live.
    public let route: Route?
    /// In the order in which they are asked.
    public let checks: [CheckResult]

    /// `failed`, else `warning`, else `ok`.
    public var state: CheckResult.State {
        if checks.contains(where: { $0.state == .failed }) { return .failed }
        return checks.contains { $0.state == .warning } ? .warning : .ok
    }
}

/// Over which pair applications would move, and in which direction.
private struct Routes {
    private(set) var taken: [(route: Readiness.Route, names: [ApplicationName])] = []
    /// Those that no pair leads away.
    private(set) var stranded: [ApplicationStatus] = []

    init(_ statuses: [ApplicationStatus], _ inventory: Inventory) {
        var names: [Readiness.Route: [ApplicationName]] = [:]
        for status in statuses {
            let scheduled = Set(inventory.schedules.filter { $0.covers(status.name) }.map(\.pair))
            let all = inventory.pairs.compactMap { Self.route($0, from: status.active_at) }
            // What copies it is what it would move over; without a schedule any pair may be meant.
            let preferred = all.filter { scheduled.contains($0.pair) }
            for route in preferred.isEmpty ? all : preferred { names[route, default: []].append(status.name) }
            if all.isEmpty { stranded.append(status) }
        }
        taken = names.sorted { ($0.key.pair.text, $0.key.source.text) < ($1.key.pair.text, $1.key.source.text) }.map { ($0, $1) }
    }

    private static func route(_ pair: ClusterPair, from active: ClusterName?) -> Readiness.Route? {
        // Where nobody knows where it is, the checks say so over the pair as it is declared.
        if active == nil || pair.source == active {
            return Readiness.Route(pair: pair.name, reversed: false, source: pair.source, destination: pair.destination)
        }
        guard pair.bothWays, pair.destination == active else { return nil }
        return Readiness.Route(pair: pair.name, reversed: true, source: pair.destination, destination: pair.source)
    }
}
