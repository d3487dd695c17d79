import DRHost
import DRModel
import Foundation
import Testing

/// `plan --without CLUSTER`: whatever the plan wanted of it, with its place.
@Suite(.waitsForProcesses) struct PlanWithoutTests {
    private static let head = "return dr.runbook {\n  name = \"it\",\n  run = function()\n"

    /// `LINE CLUSTER WHAT` of a plan of this body, whose first line is line 4.
    private func touched(
        _ body: String, without: [ClusterName] = ["east"], configured: (ShopFixture) throws -> Void = { _ in }
    ) async throws -> (touches: [String], report: RunReport) {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try configured(shop)
        try shop.write("runbooks/it.lua", Self.head + body + "\n  end,\n}\n")
        let host = try shop.host()
        defer { host.close() }
        let report = try await host.plan(shop.file("runbooks/it.lua"), without: without)
        return (report.notes.touches.map { "\($0.location.line) \($0.cluster) \($0.what)" }, report)
    }

    private static let disaster =
        #"dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "dark", fenced = "power" } }"#

    @Test func `G9 a disaster touches nothing of the lost cluster`() async throws {
        let (touches, report) = try await touched(Self.disaster)
        #expect(report.outcome == .succeeded)
        #expect(touches.isEmpty, "\(touches)")
    }

    @Test func `G9 every call that wants something of the lost cluster is named with its line`() async throws {
        let (touches, _) = try await touched(
            """
            local ok = dr.attempt("copy", function()
              dr.migrate { pair = "east-west", applications = "all" }
            end)
            dr.status { application = "ledger" }
            dr.attempt("look", function()
              dr.list { cluster = "east", kind = "Service" }
            end)
            """)
        #expect(touches.contains { $0.hasPrefix("5 east migrate: ") })
        #expect(touches.contains("7 east status: its records"))
        #expect(touches.contains("9 east list: its objects"))
    }

    @Test func `G9 where the record of the run cannot be copied, the plan fails as its run would`() async throws {
        let (touches, report) = try await touched(
            #"dr.migrate { pair = "east-west", applications = "all" }"#, without: ["west"])
        #expect(report.error?.code == .clusterUnreachable)
        #expect(touches.first == "4 west migrate: the copy of the run's record")
        let (none, calls) = try await touched(
            #"dr.exec { argv = { "tool" } }"#, without: ["east", "west"],
            configured: { try $0.write("dr.yaml", $0.read("dr.yaml") + "allow: { exec: [{ name: tool, path: /bin/true }] }\n") })
        #expect(calls.error?.code == .clusterUnreachable)
        #expect(none.contains("4 east exec: the copy of the run's record"))
    }

    @Test func `G9 people who are told through a host of the lost cluster are not told, and the plan says where`() async throws {
        let (touches, report) = try await touched(
            """
            local n = dr.notify { to = "oncall", text = "east is dark" }
            dr.log("%s", tostring(n.sent))
            dr.attempt("pool", function()
              dr.http { method = "POST", url = "https://lb.east.example.com/pools" }
            end)
            dr.notify { to = "elsewhere", text = "east is dark" }
            """,
            configured: { shop in
                try shop.replace(
                    "dr.yaml", "east: { directory: sites/east }", "east: { directory: sites/east, hosts: [\"*.east.example.com\"] }")
                try shop.write(
                    "dr.yaml",
                    shop.read("dr.yaml") + """
                        allow: { http: ["https://lb.east.example.com/"] }
                        notify: { oncall: { webhook: "https://chat.east.example.com/hook" }, elsewhere: { webhook: "https://chat.example.com/hook" } }

                        """)
            })
        #expect(report.outcome == .succeeded)
        #expect(touches == ["4 east notify: the webhook of oncall", "7 east http: the host of https://lb.east.example.com/pools"])
    }

    @Test func `G9 a store whose key goes with the lost cluster is lost, and the plan says where`() async throws {
        // Of north nothing but the key is missed.
        let (touches, report) = try await touched(
            #"dr.migrate { pair = "east-west", applications = "all" }"#, without: ["north"],
            configured: { shop in
                try shop.write("sites/north/store.key", String(repeating: "ab", count: 32) + "\n")
                try shop.replace(
                    "dr.yaml", "west: { directory: sites/west }", "west: { directory: sites/west }\n  north: { directory: sites/north }")
                try shop.replace(
                    "dr.yaml", "vault: { directory: objects }",
                    "vault: { directory: fresh, encryption: { keys: [{ file: sites/north/store.key }] } }")
            })
        #expect(report.error?.code == .storeUnreachable)
        #expect(
            touches.count == 1 && touches[0].hasPrefix("4 north migrate: the key ") && touches[0].hasSuffix(" of the object store vault"))
    }

    @Test func `G9 a program that lies on the lost cluster is lost with it`() async throws {
        let (touches, report) = try await touched(
            #"dr.exec { argv = { "tool" } }"#,
            configured: { shop in
                try shop.write("sites/east/bin/tool", "#!/bin/sh\n")
                try shop.write(
                    "dr.yaml", shop.read("dr.yaml") + "allow: { exec: [{ name: tool, path: \(shop.file("sites/east/bin/tool")) }] }\n")
            })
        #expect(report.error?.code == .outsideFailed)
        #expect(touches.count == 1 && touches[0].hasPrefix("4 east exec: the program ") && touches[0].hasSuffix("sites/east/bin/tool"))
    }

    @Test func `G9 the journal and a folder store never lie on a cluster: dr.yaml is refused with the line`() throws {
        for (old, new) in [
            ("state: .drrunbook ", "state: sites/east/state "),
            ("vault: { directory: objects }", "vault: { directory: sites/east/objects }"),
        ] {
            let shop = try ShopFixture()
            try shop.replace("dr.yaml", old, new)
            let answer = try shop.drrunbook("plan", "runbooks/failover.lua", "--without", "east")
            #expect(answer.status == 2)
            #expect(answer.error.contains("dr.yaml:") && answer.error.contains("the cluster east"), "\(answer.error)")
        }
    }

    @Test func `secrets come from the host, so no lost cluster holds one`() async throws {
        let (touches, report) = try await touched(
            #"local ok, e = pcall(dr.secret, "TOKEN") dr.log("%s", ok and "there" or e.code)"#,
            configured: { try $0.write("dr.yaml", $0.read("dr.yaml") + "allow: { secrets: [TOKEN] }\n") })
        #expect(report.outcome == .succeeded && touches.isEmpty)
    }

    @Test func `a plan that is refused because it is to do without the source says so by its status, too`() throws {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/it.lua", Self.head + "    dr.checks { pair = \"east-west\", applications = \"all\" }\n  end,\n}\n")
        let answer = try shop.drrunbook("plan", "runbooks/it.lua", "--without", "east")
        #expect(answer.status == 5 && answer.output.contains("would be refused"), "\(answer.output)\(answer.error)")
    }

    @Test func `what was assumed and touched stands in the plan's text and in its JSON`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(
            "runbooks/it.lua",
            Self.head + "    if dr.random() > 2 then dr.fail(\"no\") end\n    dr.status { application = \"ledger\" }\n  end,\n}\n")
        let text = try shop.drrunbook("plan", "runbooks/it.lua", "--without", "east")
        #expect(text.status == 0, "\(text.error)")
        #expect(text.output.contains("assumed: runbooks/it.lua:4: random = 0."))
        #expect(text.output.contains("touched: runbooks/it.lua:5: east: status: its records"))
        let end = try #require(try shop.drrunbook("plan", "runbooks/it.lua", "--without", "east", "--json").lines.last)
        #expect(end["assumed"].list?.first?["line"].integer == 4)
        #expect(end["touched"].list?.contains { $0["cluster"].string == "east" && $0["line"].integer == 5 } == true)
    }

    @Test func `of many looks at one place a plan's text shows three, its JSON all`() throws {
        let shop = try ShopFixture()
        let text = try shop.drrunbook("plan", "runbooks/protect.lua")
        let looks = text.output.split(separator: "\n").filter { $0.hasPrefix("assumed: runbooks/lib/say.lua:12: ") }
        #expect(looks.count == 4 && looks.last == "assumed: runbooks/lib/say.lua:12: and 3 more", "\(text.output)")
        #expect(try shop.drrunbook("plan", "runbooks/protect.lua", "--json").lines.last?["assumed"].list?.count == 6)
    }
}
