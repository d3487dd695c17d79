import DRHost
import DRModel
import Foundation
import Testing

/// The locks of runs that were put down, from a shell's point of view.
@Suite(.waitsForProcesses) struct RunLockTests {
    /// Copies the ledger, which locks it at both sites, and then waits for somebody to put a file there.
    private func shop() throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/wait.lua",
            """
            return dr.runbook { name = "wait", run = function()
              dr.migrate { pair = "east-west", applications = { "ledger" } }
              dr.wait_until({ timeout = "10m", every = "200ms" }, function()
                return #dr.list { cluster = "east", kind = "ConfigMap", namespace = "shop-web" } > 1
              end)
            end }
            """)
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        return shop
    }

    private func locks(_ shop: ShopFixture) throws -> [String] {
        try shop.drrunbook("lock", "list", "--json").lines.map {
            "\($0["application"].string ?? "?") \($0["cluster"].string ?? "?") \($0["state"].string ?? "?")"
        }
    }

    /// Begins the run in a process of its own, and pauses it where it waits.
    private func paused(_ shop: ShopFixture) throws -> String {
        let running = try RunningRun(shop, "runbooks/wait.lua", until: "list")
        #expect(try shop.drrunbook("pause", running.name).status == 0)
        running.process.waitUntilExit()
        let kept = try locks(shop)
        #expect(kept == ["east", "west"].map { "ledger \($0) kept for a run that was put down" }, "\(kept)")
        let other = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(other.status == 5 && (other.output + other.error).contains("by run \(running.name)"), "\(other.output)\(other.error)")
        return running.name
    }

    struct Way: Sendable, CustomTestStringConvertible {
        let words: [String]
        let status: Int32
        var testDescription: String { words.joined(separator: " ") }
    }

    @Test(arguments: [
        Way(words: ["resume", "RUN"], status: 0), Way(words: ["stop", "RUN", "--hold"], status: 0),
        Way(words: ["stop", "RUN", "--undo", "--yes"], status: 9),
    ])
    func `the locks of a run that was paused go when it ends or is held, whatever process does it`(_ way: Way) throws {
        let shop = try shop()
        let run = try paused(shop)
        try shop.write(
            "sites/east/resources/go.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: go, namespace: shop-web }\ndata: {}\n")
        let end = try shop.drrunbook(way.words.map { $0 == "RUN" ? run : $0 })
        #expect(end.status == way.status, "\(end.output)\(end.error)")
        #expect(try locks(shop) == [])
        let other = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(other.status == 0, "\(other.output)\(other.error)")
    }

    /// A failover that stands at a gate once both applications are stopped.
    private func parked(_ shop: ShopFixture) throws -> String {
        try shop.write(
            "runbooks/gate.lua",
            """
            return dr.runbook { name = "gate", run = function()
              dr.failover { pair = "east-west", applications = "all", mode = "planned", on = { stopped = function(app)
                if app.name == "ledger" then dr.approve { name = "cutover", message = "?", not_author = false, timeout = "3h" } end
              end } }
            end }
            """)
        let run = try shop.drrunbook("run", "runbooks/gate.lua", "--yes")
        #expect(run.status == 3, "\(run.output)\(run.error)")
        return try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
    }

    @Test func `G1 a run that stands at a gate keeps its locks until the gate closes, and they go with its end`() throws {
        let shop = try shop()
        let run = try parked(shop)
        let kept = try shop.drrunbook("lock", "list", "--json").lines
        #expect(kept.count == 4 && kept.allSatisfy { $0["counts"].bool == true }, "\(kept)")
        for lock in kept {
            guard let since = lock["since"].string.flatMap({ try? Instant(rfc3339: $0) }),
                let expires = lock["expires"].string.flatMap({ try? Instant(rfc3339: $0) })
            else {
                Issue.record("\(lock)")
                continue
            }
            #expect(expires - since > .seconds(3 * 3600 - 60) && expires - since < .seconds(3 * 3600 + 60), "\(expires - since)")
        }
        let other = try shop.drrunbook("run", "runbooks/failover.lua", "--yes")
        #expect(other.status == 5 && (other.output + other.error).contains("by run \(run)"), "\(other.output)\(other.error)")
        #expect(try shop.drrunbook("approve", run, "cutover").status == 0)
        let end = try shop.drrunbook("resume", run, "--yes")
        #expect(end.status == 0, "\(end.output)\(end.error)")
        #expect(try locks(shop) == [])
    }

    @Test func `G1 a run that is paused where it stands at a gate keeps its locks until the gate closes`() throws {
        let shop = try shop()
        let run = try parked(shop)
        let paused = try shop.drrunbook("pause", run)
        #expect(paused.status == 0, "\(paused.output)\(paused.error)")
        try expectKept(shop, for: .seconds(3 * 3600 - 60))
    }

    private func expectKept(_ shop: ShopFixture, for time: Duration) throws {
        let kept = try shop.drrunbook("lock", "list", "--json").lines
        #expect(!kept.isEmpty && kept.allSatisfy { $0["counts"].bool == true }, "\(kept)")
        let now = Instant(nanosecondsSince1970: Int64(Date().timeIntervalSince1970) * 1_000_000_000)
        for lock in kept {
            let expires = try #require(lock["expires"].string.flatMap { try? Instant(rfc3339: $0) })
            #expect(expires - now > time - .seconds(30), "\(expires - now)")
        }
    }

    @Test func `G1 a run that was killed and stands at a gate after its resume keeps what its first process had locked`() throws {
        let shop = try shop()
        try shop.replace(
            "runbooks/wait.lua", "  end)\nend }",
            "  end)\n  dr.approve { name = 'go', message = '?', not_author = false, timeout = '3h' }\nend }")
        let running = try RunningRun(shop, "runbooks/wait.lua", until: "list")
        kill(running.process.processIdentifier, SIGKILL)
        running.process.waitUntilExit()
        try shop.write(
            "sites/east/resources/go.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: go, namespace: shop-web }\ndata: {}\n")
        let resumed = try shop.drrunbook("resume", running.name)
        #expect(resumed.status == 3, "\(resumed.output)\(resumed.error)")
        #expect(try locks(shop) == ["east", "west"].map { "ledger \($0) kept for a run that was put down" })
        try expectKept(shop, for: .seconds(3 * 3600 - 60))
        let other = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(other.status == 5 && (other.output + other.error).contains("by run \(running.name)"), "\(other.output)\(other.error)")
        #expect(try shop.drrunbook("approve", running.name, "go").status == 0)
        #expect(try shop.drrunbook("resume", running.name).status == 0)
        #expect(try locks(shop) == [])
    }

    @Test func `G12 a run whose applications somebody else has moved meanwhile says of each where it is`() throws {
        let shop = try shop()
        let run = try parked(shop)
        for name in ["ledger", "storefront"] { #expect(try shop.drrunbook("lock", "break", name, "--yes").status == 0) }
        let other = try shop.drrunbook("run", "runbooks/failover.lua", "--yes")
        #expect(other.status == 0, "\(other.output)\(other.error)")
        #expect(try shop.drrunbook("approve", run, "cutover").status == 0)
        let end = try shop.drrunbook("resume", run, "--yes", "--json")
        let items = end.lines.last { $0["type"].string == "run.finished" }?["applications"].list ?? []
        #expect(items.count == 2, "\(end.output)")
        for item in items {
            #expect(item["state"].string == "skipped" && item["active_at"].string == "west", "\(item)")
            #expect(item["next"].string?.contains("moved by somebody else") == true, "\(item)")
        }
    }
}

/// A run in a process of its own, once it has asked for a verb.
struct RunningRun {
    let process: Process
    let name: String

    /// `plan`: the file it is run from. `error`: a file of the shop that takes what it says.
    init(_ shop: ShopFixture, _ runbook: String, plan: String? = nil, until verb: String, error: String? = nil) throws {
        let process = Process()
        process.executableURL = ShopFixture.executable
        process.arguments = ["run", runbook, "--yes"] + (plan.map { ["--plan", $0] } ?? [])
        process.currentDirectoryURL = shop.folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        if let error {
            try shop.write(error, "")
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: shop.file(error)))
        }
        try process.start()
        var name: String?
        while process.isRunning, name == nil {
            guard let run = try shop.drrunbook("runs", "--json").lines.last, run["runbook"].string == runbook,
                let text = run["run"].string
            else {
                usleep(20_000)
                continue
            }
            let records = try shop.drrunbook("show", text, "--json").lines
            if records.contains(where: { $0["kind"].string == "intent" && $0["verb"].string == verb }) { name = text }
        }
        self.process = process
        self.name = try #require(name, "it ended before it asked for \(verb)")
    }
}
