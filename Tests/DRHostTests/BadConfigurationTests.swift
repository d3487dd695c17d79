import DRHost
import DRModel
import Testing

/// A dr.yaml that is wrong, and all that is said about it.
@Suite struct BadConfigurationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let text: String
        let problems: String
        var testDescription: String { name }
    }

    static let sites = """
        clusters:
          east: { directory: sites/east }
          west: { directory: sites/west }
        objectStores:
          vault: { directory: objects }

        """

    static let cases: [Case] = [
        Case(
            name: "unknown keys on every level",
            text: """
                clusters:
                  east: { directroy: sites/east }
                applicatoins: {}
                limits: { memroy: 64MiB }
                retain: 3
                """,
            problems: """
                dr.yaml:2: clusters.east: unknown key "directroy" (did you mean "directory"?)
                  hint: known keys: directory, selfFence, hosts, workloads, rules, kubeconfig, context
                dr.yaml:2: clusters.east: directory is missing: expected the folder of the embedded cluster
                dr.yaml:3: unknown key "applicatoins" (did you mean "applications"?)
                  hint: known keys: \(keys)
                dr.yaml:4: limits: unknown key "memroy" (did you mean "memory"?)
                  hint: known keys: memory, cpu, deadline, output, branches, records
                dr.yaml:5: unknown key "retain"
                  hint: known keys: \(keys)
                """),
        Case(
            name: "wrong types",
            text: """
                engine: [embedded]
                state: {}
                clusters: [east]
                applications:
                  ledger: shop-db
                  web: { namespaces: shop-web, rto: 5 minutes, rpo: 0s, ready: [1m] }
                limits: { memory: lots, branches: 0, records: 1.5 }
                """,
            problems: """
                dr.yaml:1: engine: expected one of embedded, stork, found a list
                dr.yaml:2: state: expected a text, found a map
                dr.yaml:3: clusters: expected a map, found a list
                dr.yaml:5: applications.ledger: expected a map, found "shop-db"
                dr.yaml:6: applications.web.namespaces: expected a list, found "shop-web"
                dr.yaml:6: applications.web.ready: expected a duration such as 90s, 15m or 1h30m, found a list
                dr.yaml:6: applications.web.rto: expected a duration such as 90s, 15m or 1h30m, found "5 minutes"
                dr.yaml:6: applications.web.rpo: expected more than nothing
                dr.yaml:7: limits.memory: expected a size such as 512B, 10KiB or 64MiB, found "lots"
                dr.yaml:7: limits.branches: expected a whole number from 1 to 100000, found "0"
                dr.yaml:7: limits.records: expected a whole number from 1 to 100000000, found "1.5"
                """),
        Case(
            name: "names that nothing bears",
            text: sites + """
                applications:
                  ledger: { namespaces: [shop-db] }
                  web: { namespaces: [shop-web], after: [legder, cache] }
                pairs:
                  east-west: { source: east, destination: wset, objectStore: vualt }
                schedules:
                  shop: { pair: east-wets, applications: [ledger, wbe], interval: 15m }
                """,
            problems: """
                dr.yaml:8: applications.web.after[0]: there is no application "legder" (did you mean "ledger"?)
                  hint: declared: ledger, web
                dr.yaml:8: applications.web.after[1]: there is no application "cache"
                  hint: declared: ledger, web
                dr.yaml:10: pairs.east-west.destination: there is no cluster "wset" (did you mean "west"?)
                  hint: declared: east, west
                dr.yaml:10: pairs.east-west.objectStore: there is no object store "vualt" (did you mean "vault"?)
                  hint: declared: vault
                dr.yaml:12: schedules.shop.pair: there is no pair "east-wets" (did you mean "east-west"?)
                  hint: declared: east-west
                dr.yaml:12: schedules.shop.applications[1]: there is no application "wbe" (did you mean "web"?)
                  hint: declared: ledger, web
                """),
        Case(
            name: "names that are none",
            text: """
                clusters:
                  East: { directory: sites/east }
                applications:
                  ../up: { namespaces: [shop_db, ok, ok] }
                """,
            problems: """
                dr.yaml:2: clusters.East: "East" is not a valid name
                  hint: use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit
                dr.yaml:4: applications.../up: "../up" is not a valid name
                  hint: use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit
                """),
        Case(
            name: "two applications share a namespace",
            text: """
                applications:
                  ledger: { namespaces: [shop] }
                  web:
                    namespaces: [front, shop]
                    labels: { app: web }
                """,
            problems: """
                dr.yaml:4: applications.web: shares the namespace shop with the application ledger
                  hint: an object belongs to one application: give both `labels` that differ in a value, or make them one application
                """),
        Case(
            name: "labels that do not exclude each other",
            text: """
                applications:
                  ledger: { namespaces: [shop], labels: { tier: db } }
                  web: { namespaces: [shop], labels: { app: web } }
                """,
            problems: """
                dr.yaml:3: applications.web: shares the namespace shop with the application ledger
                  hint: an object belongs to one application: give both `labels` that differ in a value, or make them one application
                """),
        Case(
            name: "applications that wait for each other",
            text: """
                applications:
                  a: { namespaces: [a], after: [b] }
                  b: { namespaces: [b], after: [c] }
                  c: { namespaces: [c], after: [a] }
                """,
            problems: """
                dr.yaml:2: applications: the applications wait for each other: a -> b -> c -> a
                  hint: remove one of the `after` entries
                """),
        Case(
            name: "what this version cannot do",
            text: """
                engine: stork
                clusters:
                  prod: { kubeconfig: ~/.kube/config, context: prod-east }
                objectStores:
                  vault: { s3: { endpoint: x } }
                  both: { directory: objects, s3: { bucket: b } }
                  odd: { s3: { bucket: shop, endpoint: "localhost:9000" }, bandwidth: 1 }
                  sealed: { directory: objects, encryption: { keys: [{ env: A }, { path: b }] } }
                """,
            problems: """
                dr.yaml:1: engine: stork is not supported by this version
                  hint: use `engine: embedded`
                dr.yaml:3: clusters.prod: clusters behind a kubeconfig are not supported by this version
                  hint: name the directory of an embedded cluster: `directory: sites/prod`
                dr.yaml:5: objectStores.vault.s3: bucket is missing: expected the bucket's name
                dr.yaml:6: objectStores.both: directory and s3 are two stores: expected one of them
                dr.yaml:7: objectStores.odd.s3.endpoint: expected a URL, found "localhost:9000": expected http:// or https://
                dr.yaml:8: objectStores.sealed.encryption.keys[1]: unknown key "path"
                  hint: known keys: env, file
                dr.yaml:8: objectStores.sealed.encryption.keys[1]: file is missing: expected the file that holds the key, or env: a variable
                """),
        Case(
            name: "folders that would be lost with a cluster",
            text: """
                state: sites/east/state
                clusters:
                  east: { directory: sites/east }
                  west: { directory: sites/east/../east/west }
                objectStores:
                  vault: { directory: sites/east }
                """,
            problems: """
                dr.yaml:1: state: /team/sites/east/state lies in the directory of the cluster east, with which it would be lost
                  hint: put it beside dr.yaml, outside every cluster: `state: .drrunbook`
                dr.yaml:4: clusters.west.directory: /team/sites/east/west and the directory of east are not apart
                  hint: each cluster needs a directory of its own
                dr.yaml:6: objectStores.vault.directory: /team/sites/east lies in the directory of the cluster east
                  hint: put it outside every cluster: `directory: objects`
                """),
        Case(
            name: "a pair with itself, and one without anything",
            text: sites + """
                pairs:
                  loop: { source: east, destination: east, objectStore: vault }
                  bare:
                  half: { source: east, bothWays: yes }
                """,
            problems: """
                dr.yaml:7: pairs.loop: source and destination are both east: expected two clusters
                dr.yaml:8: pairs.bare: expected a map, found nothing
                dr.yaml:9: pairs.half: destination is missing: expected the cluster that receives
                dr.yaml:9: pairs.half: objectStore is missing: expected the store in between
                dr.yaml:9: pairs.half.bothWays: expected true or false, found "yes"
                """),
        Case(
            name: "schedules that never run",
            text: sites + """
                applications:
                  ledger: { namespaces: [shop-db] }
                pairs:
                  p: { source: east, destination: west, objectStore: vault }
                schedules:
                  a: { pair: p, applications: [ledger] }
                  b: { pair: p, applications: [ledger], interval: 15m, daily: "02:00" }
                  c: { pair: p, applications: [], daily: "2 o'clock" }
                  d: { pair: p, applications: ledger, weekly: { day: sonday, at: 24:00 } }
                  e: { pair: p, applications: all, monthly: { day: 32, at: "01:00" }, retain: { last: 0 } }
                  f: { pair: p, applications: all, interval: 0s, zone: UTC }
                  g: { pair: p, applications: all, daily: { at: "02:00", zone: UTC, day: monday } }
                  h: { pair: p, applications: all, weekly: { day: monday, at: "02:00", zone: UTC } }
                  i: { pair: p, applications: all, daily: "02:00", zone: Europe/Berln }
                """,
            problems: """
                dr.yaml:11: schedules.a: when it runs is missing: expected one of interval, daily, weekly, monthly
                dr.yaml:12: schedules.b: interval and daily stand together: expected one of interval, daily, weekly, monthly
                dr.yaml:13: schedules.c.applications: expected at least one application, found an empty list
                dr.yaml:13: schedules.c.daily: expected a time of day such as 02:15, found "2 o'clock" (in quotes)
                dr.yaml:14: schedules.d.applications: expected a list of applications, or all, found "ledger"
                dr.yaml:14: schedules.d.weekly.at: expected a time of day such as 02:15, found "24:00"
                dr.yaml:14: schedules.d.weekly.day: expected one of monday, tuesday, wednesday, thursday, friday, saturday, sunday, \
                found "sonday" (did you mean "monday"?)
                dr.yaml:15: schedules.e.monthly.day: expected a whole number from 1 to 31, found "32"
                dr.yaml:15: schedules.e.retain.last: expected a whole number from 1 to 100000, found "0"
                dr.yaml:16: schedules.f.interval: expected at least 1s, found 0s
                dr.yaml:17: schedules.g.daily.zone: zone stands beside daily, as in { daily: ..., zone: Europe/Berlin }
                dr.yaml:17: schedules.g.daily: unknown key "day"
                  hint: known keys: at, zone
                dr.yaml:18: schedules.h.weekly.zone: zone stands beside weekly, as in { weekly: ..., zone: Europe/Berlin }
                dr.yaml:19: schedules.i.zone: there is no time zone "Europe/Berln" on this host (did you mean "Europe/Berlin"?)
                """),
        Case(
            name: "commands that cannot run",
            text: """
                clusters:
                  east:
                    directory: e
                    workloads: { start: systemctl start, stop: [], ready: [check, "{nam}", 7], strat: [x] }
                """,
            problems: """
                dr.yaml:4: clusters.east.workloads: unknown key "strat" (did you mean "start"?)
                  hint: known keys: start, stop, ready, drill, fence
                dr.yaml:4: clusters.east.workloads.start: expected a program and its arguments as a list, such as \
                [systemctl, start, "{name}"], found "systemctl start"
                dr.yaml:4: clusters.east.workloads.stop: expected a program and its arguments as a list, such as \
                [systemctl, stop, "{name}"], found an empty list
                dr.yaml:4: clusters.east.workloads.ready[1]: nothing is known as {nam}
                  hint: known: {namespace}, {kind}, {name}, {replicas}
                """),
        Case(
            name: "rules",
            text: """
                clusters:
                  east: { directory: e, rules: { hold: [pg, "{name}"], Release it: [x], go: true } }
                  west: { directory: w, rules: [hold] }
                applications:
                  bank: { namespaces: [bank], rules: { pre: hodl, past: go } }
                """,
            problems: """
                dr.yaml:2: clusters.east.rules.hold[1]: nothing is known as {name}
                  hint: known: {application}
                dr.yaml:2: clusters.east.rules.Release it: "Release it" is not a valid name
                  hint: use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit
                dr.yaml:2: clusters.east.rules.go: expected a program and its arguments as a list, such as \
                [systemctl, go, "{application}"], found "true"
                dr.yaml:3: clusters.west.rules: expected a map, found a list
                dr.yaml:5: applications.bank.rules: unknown key "past" (did you mean "post"?)
                  hint: known keys: pre, post
                dr.yaml:5: applications.bank.rules.pre: there is no rule "hodl" (did you mean "hold"?)
                  hint: declared: hold
                """),
        Case(
            name: "what stands by",
            text: """
                applications:
                  bank: { namespaces: [bank], standby: hot }
                """,
            problems: """
                dr.yaml:2: applications.bank.standby: expected one of warm, cold, found "hot"
                """),
        Case(
            name: "allowances and what comes later",
            text: """
                allow:
                  exec: [{ name: psql, path: psql, env: [A=1, PGPASSWORD] }, psql]
                  http: [lb.example.com]
                  secret: [A]
                approvals: { people: { alice: { key: x } } }
                notify: { oncall: { url: x } }
                jobs: { weekly: {} }
                """,
            problems: """
                dr.yaml:2: allow.exec[0].env: expected names of variables that a call may set, found "A=1"
                dr.yaml:2: allow.exec[0].path: expected an absolute path, found "psql"
                dr.yaml:2: allow.exec[1]: expected a map, found "psql"
                dr.yaml:3: allow.http[0]: expected the beginning of a URL, found "lb.example.com"
                  hint: expected http:// or https://
                dr.yaml:4: allow: unknown key "secret" (did you mean "secrets"?)
                  hint: known keys: exec, http, secrets
                dr.yaml:5: approvals.people.alice: unknown key "key"
                  hint: known keys: sshKey, accounts
                dr.yaml:6: notify.oncall: unknown key "url"
                  hint: known keys: webhook, token
                dr.yaml:6: notify.oncall: webhook is missing: expected a URL
                dr.yaml:7: jobs.weekly: runbook is missing: expected the runbook's file
                dr.yaml:7: jobs.weekly: cron is missing: expected when it runs, such as "0 3 * * 0"
                """),
        Case(
            name: "a list", text: "- a\n",
            problems: "dr.yaml:1: dr.yaml: expected a map with the keys clusters, applications, pairs ..., found a list"),
    ]

    static let keys =
        "engine, state, clusters, objectStores, applications, pairs, schedules, limits, allow, approvals, notify, jobs, signing"

    @Test(arguments: cases) func `G8 everything wrong in a dr.yaml is said at once`(_ bad: Case) {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.read(bad.text, file: "dr.yaml", folder: "/team") }
        #expect(error?.description == bad.problems)
        #expect(error?.problems.allSatisfy { $0.code == .configuration } == true)
    }

    @Test(arguments: ["clusters: [", "a: 1\na: 2\n", "\tclusters:\n", "a: *b\n", "key: 'open\n", "\u{0}"])
    func `G8 what is no YAML is said with its place`(_ text: String) {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.read(text, file: "dr.yaml", folder: "/team") }
        #expect(error?.problems.first?.location?.file == "dr.yaml")
        #expect(error?.problems.first?.code == .configuration)
    }
}
