import DRHost
import DRModel

/// What a plan said and what its run did, side by side.
///
/// Equal means: the same actions at the same places in the same order of each branch, with the same input, answer, refusal and effects. Times, durations and
/// figures of bytes are estimates: only that they are there is compared. Names that a run draws for itself stand for the plan's, each for the same one always.
struct PlanComparison {
    /// One action that came to its end.
    struct Deed {
        let key: String
        let verb: String
        let path: [String]
        let input: Value
        let result: Value
        let error: DRError?
        let effects: [String]
        /// `0.4-2` of `0.4-2/3/1/do`.
        var branch: String { String(key.prefix { $0 != "/" }) }
    }

    struct Told {
        var run = ""
        var deeds: [Deed] = []
        var logs: [(path: [String], text: String)] = []
        var report: RunReport?
        /// Thrown before anything was recorded.
        var refusal: DRError?
    }

    private let plan: Told
    private let run: Told
    private let saysWhy: Bool
    private var realNames: [String: String] = [:]
    private var plannedNames: [String: String] = [:]

    /// The first difference, as a person reads it; nil where there is none.
    ///
    /// `saysWhy`: texts of errors are compared, too; a lost cluster is named otherwise where it is gone than where it is only taken as lost.
    static func difference(plan: Told, run: Told, saysWhy: Bool = true) -> String? {
        var comparison = PlanComparison(plan: plan, run: run, saysWhy: saysWhy)
        return comparison.difference()
    }

    private init(plan: Told, run: Told, saysWhy: Bool) {
        self.saysWhy = saysWhy
        self.plan = plan
        self.run = run
    }

    private mutating func difference() -> String? {
        _ = unify(plan.run, run.run)
        if let found = differs(plan.refusal, run.refusal) { return "before the first record: \(found)" }
        let planned = Dictionary(grouping: plan.deeds, by: \.branch), done = Dictionary(grouping: run.deeds, by: \.branch)
        for branch in Set(planned.keys).union(done.keys).sorted() {
            if let found = differs(planned[branch] ?? [], done[branch] ?? []) { return found }
        }
        if let found = logsDiffer() { return found }
        guard let ours = plan.report, let theirs = run.report else {
            return (plan.report == nil) == (run.report == nil) ? nil : "one of them has no report"
        }
        return differs(ours, theirs)
    }

    private mutating func differs(_ planned: [Deed], _ done: [Deed]) -> String? {
        for (ours, theirs) in zip(planned, done) {
            let place = "\(ours.key) \(ours.verb) \(ours.path.joined(separator: " > "))"
            guard ours.key == theirs.key, ours.verb == theirs.verb else {
                return "planned \(place), done \(theirs.key) \(theirs.verb) \(theirs.path.joined(separator: " > "))"
            }
            if ours.path != theirs.path { return "\(place): path \(theirs.path)" }
            if let found = differs(ours.input, theirs.input, "input") { return "\(place): \(found)" }
            if let found = differs(ours.error, theirs.error) { return "\(place): \(found)" }
            if !Self.unknown.contains(ours.verb), let found = differs(ours.result, theirs.result, "result") { return "\(place): \(found)" }
            for (effect, real) in zip(ours.effects, theirs.effects) where !same(effect, real) {
                return "\(place): planned \"\(effect)\", done \"\(real)\""
            }
            if ours.effects.count != theirs.effects.count {
                return "\(place): planned \(ours.effects.count) effects, done \(theirs.effects.count): "
                    + "\(ours.effects.dropFirst(theirs.effects.count) + theirs.effects.dropFirst(ours.effects.count))"
            }
        }
        guard planned.count != done.count else { return nil }
        let extra = planned.count > done.count ? planned[done.count] : done[planned.count]
        return
            "\(planned.count > done.count ? "planned and not done" : "done and not planned"): \(extra.key) \(extra.verb) \(extra.input.json())"
    }

    private mutating func logsDiffer() -> String? {
        let planned = Dictionary(grouping: plan.logs, by: \.path), said = Dictionary(grouping: run.logs, by: \.path)
        for path in Set(planned.keys).union(said.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let (ours, theirs) = (planned[path] ?? [], said[path] ?? [])
            for (log, real) in zip(ours, theirs) where !same(log.text, real.text) {
                return "log at \(path): planned \"\(log.text)\", said \"\(real.text)\""
            }
            if ours.count != theirs.count { return "logs at \(path): planned \(ours.count), said \(theirs.count)" }
        }
        return nil
    }

    private mutating func differs(_ ours: RunReport, _ theirs: RunReport) -> String? {
        if ours.outcome != theirs.outcome { return "planned outcome \(ours.outcome), got \(theirs.outcome)" }
        if let found = differs(ours.error, theirs.error) { return "at the end: \(found)" }
        // They stand in the order in which they went live, which is free among branches.
        let isFree = plan.deeds.contains { $0.branch.contains(".") }
        func listed(_ report: RunReport) -> [RunReport.Item] {
            isFree ? report.applications.sorted { $0.name < $1.name } : report.applications
        }
        for (planned, done) in zip(listed(ours), listed(theirs)) {
            let name = planned.name.text
            if planned.name != done.name { return "planned \(name) at this place of the report, found \(done.name)" }
            if planned.state != done.state || planned.active_at != done.active_at || planned.epoch != done.epoch
                || planned.from != done.from
            {
                return "\(name): planned \(planned), found \(done)"
            }
            if Self.kind(planned.rpo) != Self.kind(done.rpo) {
                return "\(name): planned RPO \(planned.rpo?.description ?? "nil"), found \(done.rpo?.description ?? "nil")"
            }
            for (said, real) in [(planned.reason, done.reason), (planned.next, done.next)] where !same(said ?? "", real ?? "") {
                return "\(name): planned \"\(said ?? "")\", found \"\(real ?? "")\""
            }
        }
        if ours.applications.count != theirs.applications.count {
            return "planned \(ours.applications.map(\.name)), found \(theirs.applications.map(\.name))"
        }
        for (planned, done) in zip(ours.undos, theirs.undos)
        where planned.state != done.state || !same(planned.name, done.name) || !same(planned.reason ?? "", done.reason ?? "") {
            return "planned undo \(planned), found \(done)"
        }
        if ours.undos.count != theirs.undos.count { return "planned \(ours.undos.count) undos, found \(theirs.undos.count)" }
        return nil
    }

    // Nothing lost is a promise, an age is an estimate.
    private static func kind(_ rpo: RecoveryPointObjective?) -> String {
        switch rpo {
        case .exact(.zero): "nothing"
        case .exact: "exact"
        case .atMost: "at most"
        case .unknown: "unknown"
        case nil: "none"
        }
    }

    private mutating func differs(_ ours: DRError?, _ theirs: DRError?) -> String? {
        guard let ours, let theirs else {
            guard ours != nil || theirs != nil else { return nil }
            return
                "planned \(ours.map { "\($0.code.rawValue): \($0.message)" } ?? "success"), got \(theirs.map { "\($0.code.rawValue): \($0.message)" } ?? "success")"
        }
        if ours.code != theirs.code {
            return "planned \(ours.code.rawValue): \(ours.message), got \(theirs.code.rawValue): \(theirs.message)"
        }
        if ours.location != theirs.location {
            return "planned at \(ours.location?.description ?? "?"), got at \(theirs.location?.description ?? "?")"
        }
        guard saysWhy else { return nil }
        for (said, real) in [(ours.message, theirs.message), (ours.hint ?? "", theirs.hint ?? "")] where !same(said, real) {
            return "planned \"\(said)\", got \"\(real)\""
        }
        return nil
    }

    // MARK: Values

    // What people say and when a window opened only the run can know.
    private static let unknown: Set = ["approve", "window"]
    private static let estimates: Set = ["bytes_read", "bytes_sent", "duration", "rto", "skew", "age"]
    private static let drawn: Set = ["id", "drill", "run"]

    private mutating func differs(_ ours: Value, _ theirs: Value, _ place: String) -> String? {
        switch (ours, theirs) {
        case (.instant, .instant), (.duration, .duration): return nil
        case (.string(let planned), .string(let real)):
            return same(planned, real) ? nil : "\(place): planned \"\(planned)\", got \"\(real)\""
        case (.list(let planned), .list(let real)):
            if planned.count != real.count {
                return "\(place): planned \(planned.count) items, got \(real.count): \(ours.json()) \(theirs.json())"
            }
            for (index, pair) in zip(planned, real).enumerated() {
                if let found = differs(pair.0, pair.1, "\(place)[\(index + 1)]") { return found }
            }
            return nil
        case (.map(let planned), .map(let real)):
            for name in Set(planned.keys).union(real.keys).sorted() where name != "predicted" && (saysWhy || name != "fix") {
                let (a, b) = (planned[name] ?? .null, real[name] ?? .null)
                if Self.estimates.contains(name), a.isNull == b.isNull { continue }
                // A plan names the place below the cluster's folder.
                if name == "place", let a = a.string, let b = b.string, b.hasSuffix("/" + a) { continue }
                if Self.drawn.contains(name), let a = a.string, let b = b.string, unify(a, b) { continue }
                if let found = differs(a, b, "\(place).\(name)") { return found }
            }
            return nil
        default: return ours == theirs ? nil : "\(place): planned \(ours.json()), got \(theirs.json())"
        }
    }

    /// Both stand for each other from now on; false where one of them stands for something else already.
    private mutating func unify(_ planned: String, _ real: String) -> Bool {
        if let known = realNames[planned] { return known == real }
        guard plannedNames[real] == nil else { return false }
        realNames[planned] = real
        plannedNames[real] = planned
        return true
    }

    private func same(_ planned: String, _ real: String) -> Bool {
        if planned == real { return true }
        if !saysWhy, planned.contains("the plan was asked for without it") { return true }
        var planned = planned
        for (name, value) in realNames where name != value { planned = planned.replacing(name, with: value) }
        return Self.masked(planned) == Self.masked(real)
    }

    private static func masked(_ text: String) -> String {
        text.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/, with: "TIME")
            .replacing(/\b\d+(\.\d+)? (B|KiB|MiB|GiB|bytes)\b/, with: "SIZE").replacing(
                /\b(\d+(\.\d+)?(ms|us|ns|s|m|h|d) ?)+\b/, with: "AGE")
    }
}

extension PlanComparison.Told {
    /// Hears a plan.
    mutating func hear(_ event: RunEvent) {
        run = event.run.text
        switch event.kind {
        case .actionFinished(let action, let result, let error, _, let effects, _):
            deeds.append(
                PlanComparison.Deed(
                    key: String(action.key.dropFirst(run.count + 1)), verb: action.action, path: action.path, input: action.input,
                    result: result ?? .null, error: error, effects: effects.map(\.text)))
        case .log(let text, let path): logs.append((path, text))
        case .runFinished(let told): report = told
        default: break
        }
    }

    /// Reads a run from its journal.
    init(_ history: RunHistory, report: RunReport) throws {
        run = history.header.id.text
        self.report = report
        var inputs: [String: Value] = [:]
        for record in history.records {
            let entry = record.entry
            switch entry.kind {
            case .intent: inputs[entry.key] = entry.payload
            case .outcome:
                let payload = entry.payload
                deeds.append(
                    PlanComparison.Deed(
                        key: entry.key, verb: entry.verb, path: entry.path, input: inputs[entry.key] ?? .null, result: payload["result"],
                        error: payload["error"].isNull ? nil : try payload["error"].decoded(as: DRError.self),
                        effects: try payload["effects"].decoded(as: [Effect].self).map(\.text)))
            case .log: logs.append((entry.path, entry.payload.string ?? ""))
            default: break
            }
        }
    }
}
