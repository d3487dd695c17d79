import DRActions
import DRHost
import DRModel
import Foundation
import Testing

/// What people see who decide at gates: what others wrote is not taken for more than that.
@Suite(.waitsForProcesses) struct GateTextTests {
    private func shop(_ body: String) throws -> (shop: ShopFixture, run: String) {
        let shop = try ShopFixture()
        try shop.write("runbooks/gate.lua", "return dr.runbook { name = 'gate', run = function()\n\(body)\nend }\n")
        let parked = try shop.drrunbook("run", "runbooks/gate.lua")
        #expect(parked.status == 3, "\(parked.output)\(parked.error)")
        #expect(!parked.output.split(separator: "\n").contains { $0.hasPrefix("  approve") }, "\(parked.output)")
        return (shop, try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string))
    }

    @Test(arguments: ["\n", "\r\n"])
    func `a text of a runbook or of a person's is no approval, and broken glass is seen by whoever comes next`(end: String) throws {
        let forgery = (end == "\n" ? #"\n"# : #"\r\n"#) + "  approve  carol (key SHA256:x)"
        let (shop, run) = try shop(
            "dr.log(\"one\(forgery)\") dr.approve { name = \"go\", message = \"Go?\(forgery)\", not_author = false, quorum = 2,"
                + " show = { lag = \"3s\(forgery)\" } }")
        func forged() throws -> Bool {
            try shop.drrunbook("show", run).output.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("  approve  carol") }
        }
        #expect(try !forged() && shop.drrunbook("show", run).output.contains("| Go?"))
        let named = try shop.drrunbook("approve", run, "go", "--as", "bob\(end)  approve  carol")
        #expect(named.status == 2 && named.error.contains("expected a name in one line"), "\(named.error)")
        #expect(try shop.drrunbook("approve", run, "go", "--as", "bob", "--comment", "fine\(end)  approve  carol").status == 0)
        #expect(try !forged() && shop.drrunbook("show", run).output.contains("\"fine /   approve  carol\""))
        let broken = try shop.drrunbook("approve", run, "go", "--break-glass", "fire")
        #expect(broken.output.contains("breaking the glass: fire"), "\(broken.output)")
        #expect(try shop.drrunbook("show", run).output.contains("open: somebody broke the glass"))
    }

    @Test func `what was said of a gate is not taken for another one of its name`() async throws {
        let (shop, run) = try shop(
            "for i = 1, 2 do dr.approve { name = 'go', message = 'Move ' .. i .. '?', not_author = false } end")
        let host = try shop.host()
        defer { host.close() }
        let seen = try #require(try host.gate("go", of: RunID(run)))
        #expect(try shop.drrunbook("approve", run, "go").status == 0)
        #expect(try shop.drrunbook("resume", run).status == 3)
        await #expect {
            try await host.answer(RunID(run), gate: "go", GateAnswer(.approve), seen: seen)
        } throws: { ($0 as? DRError)?.code == .conflict }
        #expect(try host.gates(of: RunID(run)).map(\.approvals.count) == [0])
        let now = try host.gate("go", of: RunID(run))
        #expect(try await host.answer(RunID(run), gate: "go", GateAnswer(.approve), seen: now).missing == nil)
    }

    @Test func `gates of one name that stand open side by side are answered one after the other`() throws {
        let (shop, run) = try shop(
            """
            local function gate(what) return function() dr.approve { name = 'go', message = 'Move ' .. what .. '?', not_author = false } end end
            dr.parallel { gate 'ledger', gate 'storefront' }
            """)
        for what in ["ledger", "storefront"] {
            let said = try shop.drrunbook("approve", run, "go")
            #expect(said.status == 0 && said.output.contains("| Move \(what)?"), "\(said.output)\(said.error)")
        }
        #expect(try shop.drrunbook("resume", run).status == 0)
    }
}
