import DRHost
import DRModel
import Foundation

/// Two small sites with what lives there, as a seed makes them: dr.yaml, manifests, volumes, what was done there before, and what somebody did by hand since.
struct GeneratedSite {
    struct App {
        let name: String
        let kind: String
        let replicas: Int
        let volumes: [String]
        let after: [String]
        let hasTarget: Bool
        let hasJob: Bool
        /// Shares its namespace with another, told apart by labels.
        let isLabelled: Bool
        var namespace: String { isLabelled ? "shared" : "ns-\(name)" }
    }

    /// What was done before, as lines of a runbook. One that fails is passed over.
    struct Past: Hashable { let line: String }

    enum Tampering: Hashable {
        case foreign(kind: String, namespace: String, name: String)
        case awake(app: String, site: String)
        case volumeGone(volume: String, site: String)
        case storeGone
        case edited(app: String)
        case brokenManifest
        case written(volume: String, site: String)
    }

    let apps: [App]
    let bothWays: Bool
    let declaresSchedule: Bool
    var past: [Past]
    var tampering: [Tampering]
    /// A site that is lost when the runbook begins: planned without it, run when it is gone.
    var dark: String?

    private static let names = ["ledger", "storefront", "mail", "search", "queue"]

    init(_ random: inout CaseRandom) {
        let count = 1 + random.below(5)
        var apps: [App] = []
        for name in Self.names.prefix(count) {
            let volumes = (0..<random.below(3)).map { "\(name)-v\($0 + 1)" }
            apps.append(
                App(
                    name: name, kind: random.pick(["StatefulSet", "Deployment"]), replicas: random.pick([0, 1, 1, 2, 3]), volumes: volumes,
                    after: apps.isEmpty || random.chance(50) ? [] : [random.pick(apps).name], hasTarget: random.chance(40),
                    hasJob: random.chance(30), isLabelled: random.chance(15)))
        }
        self.apps = apps
        bothWays = random.chance(85)
        declaresSchedule = random.chance(50)
        past = []
        tampering = []
        past = Self.past(apps, declaresSchedule, &random)
        tampering = Self.tampering(apps, &random)
        dark = random.chance(15) ? random.pick(["east", "east", "west"]) : nil
    }

    /// A shop of two applications that nothing was done to but this.
    init(past: [String], tampering: [Tampering] = []) {
        func app(_ name: String, after: [String]) -> App {
            App(
                name: name, kind: "StatefulSet", replicas: 1, volumes: ["\(name)-v1"], after: after, hasTarget: false, hasJob: false,
                isLabelled: false)
        }
        apps = [app("ledger", after: []), app("storefront", after: ["ledger"])]
        bothWays = true
        declaresSchedule = false
        self.past = past.map { Past(line: $0) }
        self.tampering = tampering
    }

    private static func past(_ apps: [App], _ declares: Bool, _ random: inout CaseRandom) -> [Past] {
        var lines: [String] = []
        func list(_ apps: [App]) -> String { "{ " + apps.map { "\"\($0.name)\"" }.joined(separator: ", ") + " }" }
        if random.chance(70) {
            lines.append(
                #"dr.pair { name = "east-west", source = "east", destination = "west", object_store = "vault", both_ways = BOTH }"#)
        }
        if random.chance(50) {
            lines.append(
                #"dr.schedule { name = "shop", pair = "east-west", applications = "all", interval = "15m", retain = { last = 2 } }"#)
            if random.chance(30) { lines.append(#"dr.suspend_schedule { name = "shop" }"#) }
        }
        if random.chance(75) {
            for _ in 0...random.below(2) {
                lines.append(#"dr.migrate { pair = "east-west", applications = "# + list(random.some(of: apps)) + " }")
            }
        }
        switch random.below(10) {
        case 0, 1, 2:
            lines.append(#"dr.failover { pair = "east-west", mode = "planned", applications = "# + list(random.some(of: apps)) + " }")
            if random.chance(40) {
                lines.append(#"dr.failback { pair = "east-west", applications = "# + list(random.some(of: apps)) + " }")
            }
        case 3:
            let fence = random.pick(["none", "power"])
            lines.append(
                #"dr.failover { pair = "east-west", mode = "disaster", accept_data_loss = "10h", source_down = { evidence = "dark", fenced = ""#
                    + fence + #"" }, applications = "# + list(random.some(of: apps)) + " }")
        case 4: lines.append(#"dr.drill { pair = "east-west", ttl = "3h", applications = "# + list(random.some(of: apps)) + " }")
        case 5: lines.append(#"dr.quiesce { pair = "east-west", applications = "# + list(random.some(of: apps)) + " }")
        default: break
        }
        if random.chance(30) { lines.append(#"dr.sleep("\#(random.pick(["20m", "2h", "5h"]))")"#) }
        if random.chance(25) { lines.append(#"dr.migrate { pair = "east-west", applications = "# + list(random.some(of: apps)) + " }") }
        return lines.map { Past(line: $0) }
    }

    private static func tampering(_ apps: [App], _ random: inout CaseRandom) -> [Tampering] {
        var list: [Tampering] = []
        let volumes = apps.flatMap(\.volumes)
        while random.chance(35), list.count < 3 {
            let app = random.pick(apps)
            switch random.below(9) {
            case 0:
                let kind = random.pick(["ConfigMap", "Service", app.kind])
                list.append(.foreign(kind: kind, namespace: app.namespace, name: app.name))
            case 1: list.append(.awake(app: app.name, site: random.pick(["east", "west"])))
            case 2: if !volumes.isEmpty { list.append(.volumeGone(volume: random.pick(volumes), site: random.pick(["east", "west"]))) }
            case 3: if random.chance(40) { list.append(.storeGone) }
            case 4: list.append(.edited(app: app.name))
            case 5: if random.chance(25) { list.append(.brokenManifest) }
            case 6: list.append(.foreign(kind: "Ingress", namespace: app.namespace, name: "by-hand"))
            default: if !volumes.isEmpty { list.append(.written(volume: random.pick(volumes), site: random.pick(["east", "west"]))) }
            }
        }
        return list
    }

    // MARK: Texts

    var configuration: String {
        var lines = [
            "engine: embedded", "state: state", "clusters:", "  east: { directory: sites/east }", "  west: { directory: sites/west }",
            "objectStores:", "  vault: { directory: objects }", "applications:",
        ]
        for app in apps {
            let selected = app.isLabelled ? ", labels: { app: \(app.name) }" : ""
            let after = app.after.isEmpty ? "" : ", after: [\(app.after.joined(separator: ", "))]"
            lines.append("  \(app.name): { namespaces: [\(app.namespace)]\(selected)\(after)\(app.hasTarget ? ", rpo: 15m" : "") }")
        }
        lines += ["pairs:", "  east-west: { source: east, destination: west, objectStore: vault, bothWays: \(bothWays) }"]
        if declaresSchedule {
            lines += [
                "schedules:", "  shop: { pair: east-west, applications: [\(apps.map(\.name).joined(separator: ", "))], interval: 15m }",
            ]
        }
        lines += [
            "approvals: { people: { alice: {}, bob: {} } }", "allow:", "  exec: [{ name: tool, path: /bin/true }]",
            "  http: [\"https://lb.example.com/\"]",
            "notify: { oncall: { webhook: \"https://lb.example.com/hook\" } }",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    static func manifests(of app: App) -> String {
        let labels = "labels: { app: \(app.name) }"
        var documents = [
            "apiVersion: v1\nkind: Namespace\nmetadata: { name: \(app.namespace) }",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \(app.name), namespace: \(app.namespace), \(labels) }\ndata: { mode: \"on\" } # by hand",
            "apiVersion: v1\nkind: Service\nmetadata: { name: \(app.name), namespace: \(app.namespace), \(labels) }\n"
                + "spec: { selector: { app: \(app.name) }, ports: [{ port: 80 }] }",
            """
            apiVersion: apps/v1
            kind: \(app.kind)
            metadata: { name: \(app.name), namespace: \(app.namespace), \(labels) }
            spec:
              replicas: \(app.replicas)
              selector: { matchLabels: { app: \(app.name) } }
              template:
                metadata: { \(labels) }
                spec: { containers: [{ name: main, image: "registry.example.com/\(app.name):1" }] }
            """,
        ]
        for volume in app.volumes {
            documents.append("apiVersion: v1\nkind: PersistentVolume\nmetadata: { name: \(volume) }\nspec: { capacity: { storage: 1Gi } }")
            documents.append(
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: \(volume), namespace: \(app.namespace), \(labels) }\n"
                    + "spec: { volumeName: \(volume), accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }")
        }
        if app.hasJob {
            documents.append(
                "apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: \(app.name)-nightly, namespace: \(app.namespace), \(labels) }\n"
                    + "spec: { schedule: \"22:22\", suspend: false }")
        }
        return documents.joined(separator: "\n---\n") + "\n"
    }

    /// What the past is made of: each line by itself.
    var pastRunbook: String {
        let steps = past.map { "dr.attempt(\"before\", function() \($0.line.replacingOccurrences(of: "BOTH", with: "\(bothWays)")) end)" }
        return "return dr.runbook { name = \"before\", run = function()\n" + steps.joined(separator: "\n") + "\nend }\n"
    }

    var description: String {
        "applications: "
            + apps.map { "\($0.name)(\($0.kind) \($0.replicas), \($0.volumes.count) volumes, after \($0.after))" }.joined(separator: " ")
            + "\nbefore:\n" + past.map { "  \($0.line)\n" }.joined() + "by hand: \(tampering)\nlost: \(dark ?? "nothing")\n"
    }
}
