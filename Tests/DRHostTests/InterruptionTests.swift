import DRHost
import DRModel
import Foundation
import Testing

/// Control-C and TERM, as a run that is under way hears them.
@Suite(.waitsForProcesses) struct InterruptionTests {
    private func shop(seconds: Int) throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write("dr.yaml", shop.read("dr.yaml") + "\nallow:\n  exec: [{ name: sleep, path: /bin/sleep, args: [\"*\"] }]\n")
        try shop.write(
            "runbooks/call.lua",
            """
            return dr.runbook { name = "call", run = function()
              dr.migrate { pair = "east-west", applications = { "ledger" } }
              dr.exec { argv = { "sleep", "\(seconds)" } }
              dr.exec { argv = { "sleep", "0" } }
            end }
            """)
        return shop
    }

    /// How its record ends, and how many calls have an outcome.
    private func record(_ shop: ShopFixture, _ run: String) throws -> (last: String?, answered: Int) {
        let records = try shop.drrunbook("show", run, "--json").lines.filter { $0["type"].string == "record" }
        return (records.last?["kind"].string, records.count { $0["kind"].string == "outcome" && $0["verb"].string == "exec" })
    }

    private func wait(for text: String, in file: String, of shop: ShopFixture, _ process: Process) throws {
        while process.isRunning, try !shop.read(file).contains(text) { usleep(20_000) }
    }

    @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
    func `G2 a signal without a terminal puts the run down after the call that is under way`(number: Int32, status: Int32) throws {
        let shop = try shop(seconds: 2)
        let running = try RunningRun(shop, "runbooks/call.lua", until: "exec", error: "said")
        kill(running.process.processIdentifier, number)
        running.process.waitUntilExit()
        #expect(running.process.terminationStatus == status && running.process.terminationReason == .exit)
        let (last, answered) = try record(shop, running.name)
        #expect(last == "stopped" && answered == 1)
        let said = try shop.read("said")
        #expect(said.contains("drrunbook resume \(running.name)"), "\(said)")
        let end = try shop.drrunbook("resume", running.name, "--yes")
        #expect(end.status == 0, "\(end.output)\(end.error)")
    }

    @Test func `the third control-C ends the process at once, and the call that was under way is unknown`() throws {
        let shop = try shop(seconds: 20)
        let running = try RunningRun(shop, "runbooks/call.lua", until: "exec", error: "said")
        let process = running.process
        kill(process.processIdentifier, SIGINT)
        try wait(for: "after what it is doing", in: "said", of: shop, process)
        kill(process.processIdentifier, SIGINT)
        try wait(for: "once more", in: "said", of: shop, process)
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(try record(shop, running.name) == ("intent", 0))
        let again = try shop.drrunbook("resume", running.name, "--yes")
        #expect(again.status == 3 && again.error.contains("--settle"), "\(again.output)\(again.error)")
    }

    @Test(arguments: [("p", Int32(130), "stopped"), ("h", 130, "stopped"), ("g", 0, "finished")])
    func `control-C on a terminal asks: pause, hold or go on`(answer: String, status: Int32, end: String) throws {
        let shop = try shop(seconds: 2)
        var terminal = try Terminal(shop, "run", "runbooks/call.lua", "--yes")
        var run: String?
        while run == nil, terminal.process.isRunning {
            guard let name = try shop.drrunbook("runs", "--json").lines.last?["run"].string else { continue }
            if try shop.drrunbook("show", name, "--json").lines.contains(where: { $0["verb"].string == "exec" }) { run = name }
        }
        let name = try #require(run)
        kill(terminal.process.processIdentifier, SIGINT)
        terminal.wait(for: "go on")
        try terminal.master.write(contentsOf: Data("\(answer)\n".utf8))
        terminal.process.waitUntilExit()
        #expect(terminal.process.terminationStatus == status, "\(terminal.text)")
        let (last, answered) = try record(shop, name)
        #expect(last == end && answered == (answer == "g" ? 2 : 1))
        #expect(try shop.drrunbook("lock", "list", "--json").lines.isEmpty == (answer != "p"))
    }
}
