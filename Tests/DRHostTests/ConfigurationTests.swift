import DRHost
import DRModel
import Foundation
import Testing

@Suite struct ConfigurationTests {
    @Test func `the whole of a dr.yaml is read`() throws {
        let configuration = try Configuration.read(Self.complete, file: "dr.yaml", folder: "/team")

        #expect(configuration.engine == .embedded)
        #expect(configuration.state == "/team/.drrunbook")
        #expect(configuration.journal == "/team/.drrunbook/journal.sqlite")
        #expect(configuration.clusters.map(\.name) == ["east", "west"])
        #expect(configuration.clusters.map(\.directory) == ["/team/sites/east", "/srv/west"])
        #expect(configuration.clusters[0].selfFence == .seconds(300))
        #expect(configuration.clusters[1].workloads?.start == ["systemctl", "start", "{name}"])
        #expect(configuration.clusters[1].workloads?.ready == nil)
        #expect(configuration.objectStores.map(\.directory) == ["/team/objects"])
        let ledger = try #require(configuration.inventory.application("ledger"))
        #expect(ledger == Application(name: "ledger", namespaces: ["shop-db"], rto: .seconds(300), rpo: .seconds(900)))
        let storefront = try #require(configuration.inventory.application("storefront"))
        #expect(storefront.after == ["ledger"])
        #expect(storefront.ready == .seconds(600))
        #expect(storefront.labels == ["tier": "web"])
        #expect(storefront.standby == .warm && ledger.standby == .cold)
        #expect(
            configuration.inventory.pair("east-west")
                == ClusterPair(name: "east-west", source: "east", destination: "west", objectStore: "vault", bothWays: true))
        #expect(
            configuration.inventory.schedules == [
                Schedule(
                    name: "nightly", pair: "east-west", applications: ["ledger", "storefront"],
                    policy: .daily(at: "02:15", zone: "Europe/Berlin")),
                Schedule(
                    name: "shop", pair: "east-west", applications: ["ledger"], policy: .interval(.seconds(900)),
                    retain: Retention(last: 8, hourly: 24, daily: 14), suspended: true),
                Schedule(
                    name: "sunday", pair: "east-west", applications: ["ledger"], policy: .weekly(day: "sunday", at: "03:00", zone: nil)),
            ])
        #expect(configuration.limits.memory == ByteCount(128 << 20))
        #expect(configuration.limits.deadline == .seconds(7200))
        #expect(configuration.allow.programs.map(\.name) == ["psql"])
        #expect(configuration.allow.secrets.map(\.name.text) == ["PAGER_TOKEN"])
        #expect(configuration.allow.channels.map(\.name) == ["oncall"])
        #expect(configuration.jobs.map(\.name) == ["weekly-drill"])
        #expect(configuration.jobs.first?.runbook.hasSuffix("/runbooks/drill.lua") == true)
        #expect(configuration.digest.count == 64)
    }

    static let complete = """
        engine: embedded
        state: .drrunbook
        clusters:
          east: { directory: sites/east, selfFence: 5m }
          west:
            directory: /srv/west
            workloads: { start: [systemctl, start, "{name}"], stop: [systemctl, stop, "{name}"] }
        objectStores:
          vault: { directory: ./objects }
        applications:
          ledger:     { namespaces: [shop-db], rto: 5m, rpo: 15m }
          storefront: { namespaces: [shop-web], labels: { tier: web }, after: [ledger], ready: 10m, standby: warm }
        pairs:
          east-west: { source: east, destination: west, objectStore: vault, bothWays: true }
        schedules:
          nightly: { pair: east-west, applications: all, daily: 02:15, zone: Europe/Berlin }
          shop: { pair: east-west, applications: [ledger], interval: 15m, suspended: true, retain: { last: 8, hourly: 24, daily: 14 } }
          sunday: { pair: east-west, applications: [ledger], weekly: { day: sunday, at: "03:00" } }
        approvals: { people: { alice: { sshKey: "ssh-ed25519 AAAA" }, bob: { accounts: [deploy@db, bob] } } }
        allow:
          exec: [{ name: psql, path: /usr/bin/psql, args: ["--no-psqlrc", "*"] }]
          http: ["https://lb.example.com/pools/"]
          secrets: [PAGER_TOKEN]
        notify: { oncall: { webhook: "https://pager.example.com", token: PAGER_TOKEN } }
        jobs: { weekly-drill: { runbook: runbooks/drill.lua, cron: "0 3 * * 0" } }
        limits: { memory: 128MiB, cpu: 10s, deadline: 2h, output: 10MiB, branches: 1000, records: 100000 }
        """

    @Test func `G8 without a dr.yaml the way to one is said`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        let error = #expect(throws: DRError.self) { try Configuration.load("dr.yaml", workingFolder: folder) }
        #expect(error?.code == .configuration)
        #expect(error?.message == "there is no dr.yaml here")
        #expect(error?.hint?.contains("drrunbook init") == true)
    }

    @Test func `G8 a state folder behind a symbolic link into a cluster is refused`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("config-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("sites/east"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: folder.appendingPathComponent("aside"), withDestinationURL: folder.appendingPathComponent("sites/east"))
        let text = "state: aside/state\nclusters:\n  east: { directory: sites/east }\n"
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.read(text, file: "dr.yaml", folder: folder.path)
        }
        #expect(error?.problems.first?.message.contains("with which it would be lost") == true)
        #expect(error?.problems.first?.location?.line == 1)
    }
}
