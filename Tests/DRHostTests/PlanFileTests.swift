import DRHost
import DRModel
import Foundation
import Testing

/// A run from a plan that people looked at.
@Suite(.waitsForProcesses) struct PlanFileTests {
    private func planned() throws -> ShopFixture {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "p.json").status == 0)
        return shop
    }

    @Test func `G11 an unchanged plan is run without another yes`() throws {
        let shop = try planned()
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(answer.status == 0, "\(answer.error)")
        #expect(try shop.drrunbook("status", "--json").lines.allSatisfy { $0["active_at"].string == "west" })
    }

    struct Change: CustomTestStringConvertible, Sendable {
        let name: String
        let file: String
        let old: String
        let new: String
        var arguments: [String] = []
        let error: String
        var testDescription: String { name }
    }

    @Test(arguments: [
        Change(
            name: "the runbook", file: "runbooks/failover.lua", old: "draining", new: "emptying",
            error: "the plan no longer fits: runbooks/failover.lua has changed"),
        Change(
            name: "a module", file: "runbooks/lib/say.lua", old: "live at", new: "at home at",
            error: "the plan no longer fits: runbooks/lib/say.lua has changed"),
        Change(
            name: "the configuration", file: "dr.yaml", old: "rto: 5m", new: "rto: 6m",
            error: "the plan no longer fits: dr.yaml has changed"),
        Change(
            name: "a manifest", file: "sites/east/resources/shop-web.yaml", old: "replicas: 2", new: "replicas: 3",
            error: "the plan no longer fits: Deployment shop-web/storefront at east has changed"),
        Change(
            name: "an image", file: "sites/east/resources/shop-web.yaml", old: "storefront:1.7", new: "storefront:6.6.6",
            error: "the plan no longer fits: Deployment shop-web/storefront at east has changed"),
        Change(
            name: "a ConfigMap's value", file: "sites/east/resources/shop-db.yaml", old: "audit: \"on\"", new: "audit: \"off\"",
            error: "the plan no longer fits: ConfigMap shop-db/ledger at east has changed"),
        Change(
            name: "a Service's port", file: "sites/east/resources/shop-web.yaml", old: "port: 80", new: "port: 8080",
            error: "the plan no longer fits: Service shop-web/storefront at east has changed"),
        Change(
            name: "a label", file: "sites/east/resources/shop-web.yaml", old: "name: storefront\n  namespace: shop-web\nspec:\n  selector:",
            new: "name: storefront\n  namespace: shop-web\n  labels: { tier: web }\nspec:\n  selector:",
            error: "the plan no longer fits: Service shop-web/storefront at east has changed"),
        Change(
            name: "an annotation", file: "sites/east/resources/shop-web.yaml",
            old: "name: storefront\n  namespace: shop-web\nspec:\n  selector:",
            new: "name: storefront\n  namespace: shop-web\n  annotations: { owner: web }\nspec:\n  selector:",
            error: "the plan no longer fits: Service shop-web/storefront at east has changed"),
        Change(
            name: "another object", file: "sites/east/resources/shop-web.yaml", old: "banner: \"open\"\n",
            new: "banner: \"open\"\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: more, namespace: shop-web }\n",
            error: "the plan no longer fits: ConfigMap shop-web/more at east is new"),
        Change(
            name: "the volume's claim", file: "sites/east/resources/shop-db.yaml", old: "requests: { storage: 1Gi }",
            new: "requests: { storage: 2Gi }",
            error: "the plan no longer fits: PersistentVolumeClaim shop-db/data-ledger-0 at east has changed"),
        Change(
            name: "the parameters", file: "dr.yaml", old: "embedded", new: "embedded", arguments: ["-p", "reason=another"],
            error: "the plan no longer fits: the parameters differ"),
    ]) func `G11 a plan is refused when something it was made from has changed`(_ change: Change) throws {
        let shop = try planned()
        try shop.replace(change.file, change.old, change.new)
        let before = try shop.fingerprint("sites")
        let answer = try shop.drrunbook(["run", "runbooks/failover.lua", "--plan", "p.json"] + change.arguments)
        #expect(answer.status == 5)
        #expect(answer.error.hasPrefix("error: \(change.error)"), "\(answer.error)")
        #expect(try shop.fingerprint("sites") == before)
        #expect(!shop.exists(".drrunbook"))
    }

    @Test func `G11 a plan is refused when an application has moved since, or its volume is of another size`() throws {
        let shop = try planned()
        try shop.write("sites/east/volumes/pg-data/large", String(repeating: "x", count: 2 << 20))
        let grown = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(grown.status == 5)
        #expect(
            grown.error.hasPrefix(
                "error: the plan no longer fits: volume pg-data at east was a filesystem of less than 1 MiB and is now a filesystem of less than 1 GiB"
            ),
            "\(grown.error)")
        for (number, runbook) in ["failover", "failback"].enumerated() {
            #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "\(number).json").status == 0)
            #expect(try shop.drrunbook("run", "runbooks/\(runbook).lua", "--yes").status == 0)
        }
        // It is where it was, and in another epoch.
        let moved = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "0.json")
        #expect(moved.status == 5, "\(moved.output)")
        #expect(
            moved.error.contains("the plan no longer fits: ledger was active at east in epoch 1 and is now active at east in epoch 3"),
            "\(moved.error)")
    }

    @Test func `G11 a manifest that cannot be read any more is the error, not a change that follows from it`() throws {
        let shop = try planned()
        try shop.replace("sites/east/resources/shop-web.yaml", "replicas: 2", "replicas: [2")
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(answer.status == 2 && answer.error.contains("shop-web.yaml:"), "\(answer.error)")
        #expect(answer.error.contains("not valid YAML"), "\(answer.error)")
    }

    @Test func `G11 status, content and newer points are not bound`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "p.json").status == 0)
        try shop.write("sites/east/volumes/pg-data/new", "content")
        try shop.replace("sites/east/resources/shop-web.yaml", "kind: Deployment\n", "kind: Deployment\nstatus: { readyReplicas: 2 }\n")
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(answer.status == 0, "\(answer.error)")
    }

    @Test func `G11 a plan is refused when a pair or schedule of its applications is another since`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "p.json").status == 0)
        try shop.write(
            "runbooks/suspend.lua", "return dr.runbook { name = 's', run = function() dr.suspend_schedule { name = 'shop' } end }")
        #expect(try shop.drrunbook("run", "runbooks/suspend.lua").status == 0)
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(answer.status == 5 && answer.error.contains("schedule shop at "), "\(answer.error)")
    }

    /// The runbook as a pipe: each time it is opened it gives another of the texts, and at last the last one.
    private func changing(_ shop: ShopFixture, _ texts: [String], whenRead body: () throws -> ShopFixture.Answer) throws
        -> ShopFixture.Answer
    {
        let path = shop.file("runbooks/failover.lua")
        try FileManager.default.removeItem(atPath: path)
        #expect(mkfifo(path, 0o600) == 0)
        let writer = Process()
        writer.executableURL = URL(fileURLWithPath: "/bin/sh")
        // Whoever reads has closed the pipe before the next text is offered.
        writer.arguments = ["-c", "for text in \(texts.joined(separator: " ")); do cat \"$text\" > \"$0\"; sleep 0.3; done", path]
        writer.currentDirectoryURL = shop.folder
        try writer.run()
        defer {
            writer.terminate()
            // Its `cat` waits for somebody who reads.
            close(open(path, O_RDONLY | O_NONBLOCK))
            writer.waitUntilExit()
        }
        return try body()
    }

    @Test func `G11 what was compared with the plan is what runs, whoever edits the runbook meanwhile`() throws {
        let shop = try planned()
        let text = try shop.read("runbooks/failover.lua")
        try shop.write("looked-at.lua", text)
        try shop.write("edited.lua", text.replacingOccurrences(of: "draining", with: "emptying"))
        let edited = Array(repeating: "edited.lua", count: 4)
        // To plan it and to compare it are one reading.
        let answer = try changing(shop, ["looked-at.lua", "looked-at.lua"] + edited) {
            try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        }
        #expect(answer.status == 0 && answer.output.contains("draining"), "\(answer.output)\(answer.error)")
        #expect(!answer.output.contains("emptying"))
    }

    @Test func `a plan's file is never written over another`() throws {
        let shop = try planned()
        let before = try shop.read("p.json")
        let answer = try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "p.json")
        #expect(answer.status == 5)
        #expect(answer.error.hasPrefix("error: p.json exists already"))
        #expect(try shop.read("p.json") == before)
    }

    @Test(arguments: [[], ["--without", "east"]])
    func `G9 G11 a plan of a disaster is run when the source is gone`(_ without: [String]) throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("apply", "--yes").status == 0)
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(
            "runbooks/gone.lua",
            """
            return dr.runbook { name = "gone", run = function()
              dr.failover {
                pair = "east-west", applications = "all", mode = "disaster", accept_data_loss = "1h",
                source_down = { evidence = "no power", fenced = "power" },
              }
            end }

            """)
        let plan = try shop.drrunbook(["plan", "runbooks/gone.lua", "--out", "p.json"] + without)
        #expect(plan.status == 0, "\(plan.output)\(plan.error)")
        try FileManager.default.moveItem(atPath: shop.file("sites/east"), toPath: shop.file("away"))
        let answer = try shop.drrunbook("run", "runbooks/gone.lua", "--plan", "p.json")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
    }

    @Test func `G11 a plan that would fail is not run`() throws {
        let shop = try ShopFixture()
        let plan = try shop.drrunbook("plan", "runbooks/failover.lua", "--without", "east", "--out", "p.json")
        #expect(plan.status == 1 && !plan.output.contains("next:"), "\(plan.output)")
        #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "q.json").output.contains("next: drrunbook run"))
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(answer.status == 5)
        #expect(answer.error.contains("it did not succeed when it was made"))
    }

    @Test func `G11 a run that goes on after its gate looks at its data's age once more where its plan limits it`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(
            "runbooks/lost.lua",
            """
            return dr.runbook { name = "lost", run = function()
              dr.approve { name = "go", message = "?", not_author = false }
              dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "fire", fenced = "power" } }
            end }
            """)
        #expect(try shop.drrunbook("plan", "runbooks/lost.lua", "--out", "p.json", "--max-aging", "1h").status == 0)
        #expect(try shop.drrunbook("run", "runbooks/lost.lua", "--plan", "p.json").status == 3)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        #expect(try shop.drrunbook("approve", run, "go").status == 0)
        // The points are out of reach: how old the data would be is not known any more.
        let (points, away) = (shop.file("sites/west/.dr/points"), shop.file("away"))
        try FileManager.default.moveItem(atPath: points, toPath: away)
        let held = try shop.drrunbook("resume", run, "--yes")
        #expect(held.status == 9, "\(held.output)\(held.error)")
        #expect((held.output + held.error).contains("nobody knows how old the data of ledger would be"), "\(held.output)\(held.error)")
        try FileManager.default.moveItem(atPath: away, toPath: points)
        #expect(try shop.drrunbook("resume", run, "--yes", "--max-aging", "soon").status == 2)
        let end = try shop.drrunbook("resume", run, "--yes")
        #expect(end.status == 0, "\(end.output)\(end.error)")
    }

    @Test func `G11 a plan says how much older the data that goes live may be when it is run`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(
            "runbooks/lost.lua",
            """
            return dr.runbook { name = "lost", run = function()
              dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "fire", fenced = "power" } }
            end }
            """)
        func plan(_ file: String, _ more: String...) throws {
            let answer = try shop.drrunbook(["plan", "runbooks/lost.lua", "--without", "east", "--out", file] + more)
            #expect(answer.status == 0, "\(answer.output)\(answer.error)")
        }
        try plan("strict.json", "--max-aging", "1ms")
        try plan("loose.json", "--max-aging", "1h")
        let strict = try shop.drrunbook("run", "runbooks/lost.lua", "--plan", "strict.json")
        #expect(strict.status == 5 && strict.error.contains("the plan no longer fits: the data of ledger would be "), "\(strict.error)")
        #expect(strict.error.contains("and the 1ms on top that were allowed"), "\(strict.error)")
        let loose = try shop.drrunbook("run", "runbooks/lost.lua", "--plan", "loose.json")
        #expect(loose.status == 0, "\(loose.output)\(loose.error)")
        #expect(try shop.drrunbook("plan", "runbooks/lost.lua", "--max-aging", "1h").status == 2)
        #expect(try shop.drrunbook("plan", "runbooks/lost.lua", "--out", "x.json", "--max-aging", "soon").status == 2)
    }
}
