/// Random verbs with random arguments, in random flow.
struct RunbookGenerator {
    private let site: GeneratedSite
    private var random: CaseRandom
    private var left: Int
    private var names = 0

    init(_ site: GeneratedSite, _ random: CaseRandom) {
        self.site = site
        self.random = random
        left = 3
        left = 3 + self.random.below(9)
    }

    mutating func runbook() -> GeneratedRunbook {
        var nodes: [RunbookNode] = []
        while left > 0 { nodes.append(node(depth: 0, among: site.apps)) }
        return GeneratedRunbook(nodes: nodes)
    }

    // `apps`: what this part of the runbook may touch. Branches of one `parallel` mostly touch different ones.
    private mutating func node(depth: Int, among apps: [GeneratedSite.App]) -> RunbookNode {
        left -= 1
        guard depth < 3, random.chance(40) else { return call(depth: depth, among: apps) }
        names += 1
        func name(_ what: String) -> String { "\"\(what) \(names)\"" }
        switch random.below(9) {
        case 0: return .block(head: "dr.step(\(name("step")), function()", body: body(depth, apps), tail: "end)")
        case 1, 2:
            return .block(
                head: "do local ok, e = dr.attempt(\(name("attempt")), function()", body: body(depth, apps),
                tail: "end) dr.log(\"attempt: %s %s\", ok, type(e) == \"table\" and e.code or \"\") end")
        case 3:
            return .block(
                head: "dr.retry({ times = \(1 + random.below(3)), every = \"\(random.pick(["1s", "30s", "5m"]))\" }, function()",
                body: body(depth, apps), tail: "end)")
        case 4:
            return .block(
                head: "dr.undo(function()", body: [undoable(among: apps)],
                tail:
                    "end\(random.chance(50) ? ", { application = \"\(random.pick(apps).name)\", while_active_at = \"\(random.pick(["east", "west"]))\" }" : ""))"
            )
        case 5: return .block(head: "dr.finally(function()", body: body(depth, apps), tail: "end)")
        case 6:
            let options = random.pick([
                "{}", "{ reverse = true }", "{ parallel = 2 }", "{ on_failure = \"continue\" }",
                "{ on_failure = \"skip_dependents\", raise = false }",
            ])
            let verbs = ["migrate", "status", "failover"]
            let verb = random.pick(verbs)
            let arguments =
                switch verb {
                case "migrate": "{ pair = \"east-west\", applications = { app.name } }"
                case "status": "{ application = app.name }"
                default: "{ pair = \"east-west\", applications = { app.name }, mode = \"planned\" }"
                }
            return .block(
                head: "dr.in_order(\(list(apps)), \(options), function(app)",
                body: [.call(verb: verb, arguments: arguments, condition: nil, then: [])], tail: "end)")
        case 7 where apps.count > 1:
            var branches: [[RunbookNode]] = []
            let parts = 2 + random.below(2)
            for part in 0..<parts {
                let own = apps.enumerated().filter { $0.offset % parts == part }.map(\.element)
                branches.append(body(depth, own.isEmpty ? [] : own, calls: own.isEmpty))
            }
            return .parallel(branches)
        default:
            return .block(
                head: "dr.wait_until({ timeout = \"\(random.pick(["20s", "3m"]))\", every = \"10s\" }, function()", body: [],
                tail:
                    "return dr.status { application = \"\(random.pick(apps).name)\" }.\(random.pick(["running", "protected", "split_brain_risk"])) end)"
            )
        }
    }

    private mutating func body(_ depth: Int, _ apps: [GeneratedSite.App], calls outsideOnly: Bool = false) -> [RunbookNode] {
        guard !outsideOnly else { return [.line("dr.log(\"nothing\")")] }
        return (0...random.below(3)).map { _ in node(depth: depth + 1, among: apps) }
    }

    private mutating func undoable(among apps: [GeneratedSite.App]) -> RunbookNode {
        let app = random.pick(apps)
        switch random.below(4) {
        case 0:
            return .call(
                verb: "migrate", arguments: "{ pair = \"east-west\", applications = { \"\(app.name)\" } }", condition: nil, then: [])
        case 1: return .call(verb: "resume_schedule", arguments: "{ name = \"shop\" }", condition: nil, then: [])
        case 2: return patch(app)
        default: return .line("dr.log(\"undone\")")
        }
    }

    private func list(_ apps: [GeneratedSite.App]) -> String { "{ " + apps.map { "\"\($0.name)\"" }.joined(separator: ", ") + " }" }

    private mutating func applications(_ apps: [GeneratedSite.App]) -> String {
        if random.chance(2) { return "{ \"nobody\" }" }
        return apps.count == site.apps.count && random.chance(40) ? "\"all\"" : list(random.some(of: apps))
    }

    private mutating func call(depth: Int, among apps: [GeneratedSite.App]) -> RunbookNode {
        let app = random.pick(apps)
        let pair = random.chance(2) ? "nowhere" : "east-west"
        let some = "pair = \"\(pair)\", applications = \(applications(apps))"
        switch random.below(28) {
        case 0, 1, 2, 3:
            let final = random.chance(15) ? ", final = true" : ""
            let way = random.chance(20) ? ", reversed = true" : ""
            let kinds = random.chance(10) ? ", exclude_kinds = { \"Service\" }" : ""
            return answered("migrate", "{ \(some)\(final)\(way)\(kinds) }", depth, apps, ["next(RESULT.applications)"])
        case 4, 5, 6:
            return answered(
                "failover", "{ \(some), mode = \"planned\"\(hooks(app)) }", depth, apps, ["RESULT.changed", "not RESULT.changed"])
        case 7, 8:
            let point = random.chance(40) ? ", recovery_point = \(point(app))" : ""
            let loss = random.chance(60) ? ", accept_data_loss = \"\(random.pick(["1h", "10h"]))\"" : ""
            let down =
                random.chance(95)
                ? ", source_down = { evidence = \"dark\", fenced = \"\(random.pick(["power", "none", "network"]))\" }" : ""
            return answered("failover", "{ \(some), mode = \"disaster\"\(point)\(loss)\(down) }", depth, apps, ["RESULT.changed"])
        case 9, 10: return answered("failback", "{ \(some)\(hooks(app)) }", depth, apps, ["RESULT.changed"])
        case 11:
            return answered("reprotect", "{ \(some), interval = \"\(random.pick(["15m", "1h"]))\" }", depth, apps, ["RESULT.schedule"])
        case 12, 13:
            let suffix = random.chance(25) ? ", suffix = \"\(random.pick(["x", "test", "BAD!"]))\"" : ""
            let point = random.chance(25) ? ", recovery_point = \(point(app))" : ""
            let ttl = random.chance(30) ? ", ttl = \"\(random.pick(["10m", "2h"]))\"" : ""
            return answered("drill", "{ \(some)\(suffix)\(point)\(ttl) }", depth, apps, ["RESULT.id"])
        case 14: return .line("for i = 1, #open do dr.cleanup { drill = open[i] } end open = {}")
        case 15:
            return answered(
                random.pick(["suspend_schedule", "resume_schedule"]), "{ name = \"\(random.pick(["shop", "shop", "other"]))\" }", depth,
                apps, ["RESULT.changed"])
        case 16:
            let name = random.pick(["shop", "other"])
            return answered(
                "schedule",
                "{ name = \"\(name)\", \(some), interval = \"\(random.pick(["15m", "30m"]))\"\(random.chance(30) ? ", retain = { last = 1 }" : "") }",
                depth, apps, ["RESULT.changed"])
        case 17:
            return answered(
                "pair",
                "{ name = \"\(random.pick(["east-west", "east-west", "west-east"]))\", source = \"east\", destination = \"west\", object_store = \"vault\", both_ways = \(site.bothWays) }",
                depth, apps, ["RESULT.changed"])
        case 18:
            let only =
                random.chance(40)
                ? ", only = { \"\(random.pick(["source-active", "recovery-point-fresh", "no-foreign-objects", "scheduled"]))\" }" : ""
            return answered("checks", "{ \(some), raise = \(random.chance(40))\(only) }", depth, apps, ["#RESULT > 3"])
        case 19, 20:
            return answered(
                "status", "{ application = \"\(app.name)\" }", depth, apps,
                ["RESULT.active_at == \"west\"", "RESULT.protected", "RESULT.running", "RESULT.lock", "RESULT.last_point"])
        case 21: return answered("recovery_points", "{ \(some) }", depth, apps, ["#RESULT > 1", "#RESULT == 0"])
        case 22:
            return random.chance(50)
                ? answered("quiesce", "{ \(some) }", depth, apps, ["#RESULT.stopped > 0"])
                : answered(
                    "activate", "{ \(some), recovery_point = \(point(app)), mode = \"\(random.pick(["planned", "disaster"]))\" }", depth,
                    apps, ["RESULT.changed"])
        case 23: return patch(app)
        case 24:
            switch random.below(4) {
            case 0: return answered("exec", "{ argv = { \"\(random.chance(90) ? "tool" : "rm")\" } }", depth, apps, ["RESULT.code == 0"])
            case 1:
                return answered(
                    "http", "{ method = \"POST\", url = \"https://lb.example.com/pools\" }", depth, apps, ["RESULT.status == 200"])
            default: return answered("notify", "{ to = \"oncall\", text = \"\(random.pick(["a", "b"]))\" }", depth, apps, ["RESULT.sent"])
            }
        default:
            switch random.below(10) {
            case 6, 7:
                // People speak when nothing else of the run is under way: a gate waits for them.
                names += 1
                return answered(
                    "approve",
                    "{ name = \"gate \(names)\", message = \"go on?\", on_timeout = \"wait\"\(random.chance(20) ? ", timeout = \"2h\"" : "") }",
                    depth,
                    apps,
                    ["RESULT.comment == nil"])
            case 8:
                let times = random.pick([("1h", "2h"), ("1m", "10h")])
                return .line("dr.window { opens = dr.now() - \"\(times.0)\", closes = dr.now() + \"\(times.1)\" }")
            case 9:
                return .line("local p = dr.previous { runbook = \"before.lua\" } dr.log(\"previous %s\", p and p.outcome)")
            case 0: return .line("dr.sleep(\"\(random.pick(["1s", "10m", "2h"]))\")")
            case 1: return .line("dr.fail(\"enough\")")
            case 2: return .line("dr.settle()")
            case 3:
                return answered(
                    "get",
                    "{ cluster = \"\(random.pick(["east", "west"]))\", kind = \"ConfigMap\", namespace = \"\(app.namespace)\", name = \"\(app.name)\" }",
                    depth, apps, ["RESULT and RESULT.data.mode == \"on\"", "RESULT == nil"])
            case 4:
                return answered(
                    "list",
                    "{ cluster = \"\(random.pick(["east", "west"]))\", kind = \"\(random.pick(["Service", "PersistentVolume", "StatefulSet"]))\" }",
                    depth, apps, ["#RESULT > 2"])
            default:
                return answered(
                    "wait_ready",
                    "{ cluster = \"\(random.pick(["east", "west"]))\", kind = \"\(app.kind)\", namespace = \"\(app.namespace)\", name = \"\(app.name)\", timeout = \"20s\" }",
                    depth, apps, ["RESULT.ready_at"])
            }
        }
    }

    private mutating func patch(_ app: GeneratedSite.App) -> RunbookNode {
        .call(
            verb: "patch",
            arguments:
                "{ cluster = \"\(random.pick(["east", "west"]))\", application = \"\(app.name)\", kind = \"ConfigMap\", namespace = \"\(app.namespace)\", name = \"\(app.name)\", patch = { data = { mode = \"\(random.pick(["a", "b"]))\" } } }",
            condition: nil, then: [])
    }

    private mutating func answered(
        _ verb: String, _ arguments: String, _ depth: Int, _ apps: [GeneratedSite.App], _ conditions: [String]
    ) -> RunbookNode {
        guard depth < 3, left > 0, random.chance(25) else { return .call(verb: verb, arguments: arguments, condition: nil, then: []) }
        return .call(verb: verb, arguments: arguments, condition: random.pick(conditions), then: [node(depth: depth + 1, among: apps)])
    }

    private mutating func hooks(_ app: GeneratedSite.App) -> String {
        guard random.chance(25) else { return "" }
        let moment = random.pick(["stopping", "stopped", "starting", "ready"])
        let deed = random.pick([
            "dr.log(\"hook %s\", app.name)", "dr.status { application = app.name }", "dr.exec { argv = { \"tool\" } }",
            "if app.name == \"\(app.name)\" then dr.fail(\"hook\") end",
        ])
        return ", on = { \(moment) = function(app) \(deed) end }"
    }

    private mutating func point(_ app: GeneratedSite.App) -> String {
        switch random.below(6) {
        case 5: "previous(\"\(app.name)\")"
        case 0: "\"\(app.name)-e1-g1\""
        case 1: "\"\(app.name)-e\(1 + random.below(3))-g\(1 + random.below(3))\""
        case 2: "{ at_or_before = dr.now() - \"\(random.pick(["1s", "30m", "3h"]))\" }"
        case 3: "{ at_or_before = dr.now(), max_skew = \"\(random.pick(["1s", "1h"]))\" }"
        default: "\"latest\""
        }
    }
}
