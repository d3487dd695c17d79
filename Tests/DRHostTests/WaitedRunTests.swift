import DRHost
import DRModel
import Foundation
import Testing

/// Runs that a process waits for while people say what becomes of them.
@Suite(.waitsForProcesses) struct WaitedRunTests {
    private func shop(_ body: String) throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write("runbooks/wait.lua", "return dr.runbook { name = 'wait', run = function() \(body) dr.log('went on') end }")
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        return shop
    }

    private static let gate = """
        dr.quiesce { pair = 'east-west', applications = { 'ledger' } }
        dr.approve { name = 'go', message = 'Go?', not_author = false }
        """

    /// The command that waits: at a terminal the run itself, elsewhere `resume --wait`.
    private final class Waiter {
        let name: String
        private let shop: ShopFixture
        private let process: Process
        private let terminal: Terminal?

        init(_ shop: ShopFixture, isTerminal: Bool, _ options: String...) throws {
            self.shop = shop
            if isTerminal {
                var terminal = try Terminal(shop, "run", "runbooks/wait.lua", "--yes", output: "said")
                terminal.wait(for: "Waiting; control-C")
                process = terminal.process
                self.terminal = terminal
                name = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
            } else {
                terminal = nil
                let parked = try shop.drrunbook("run", "runbooks/wait.lua", "--yes")
                #expect(parked.status == 3, "\(parked.output)\(parked.error)")
                name = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
                process = Process()
                process.executableURL = ShopFixture.executable
                process.arguments = ["resume", name, "--wait", "--yes"] + options
                process.currentDirectoryURL = shop.folder
                process.standardInput = FileHandle.nullDevice
                try shop.write("said", "")
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: shop.file("said")))
                (process.standardOutput, process.standardError) = (file, file)
                try process.start()
                while process.isRunning, try !shop.read("said").contains("Waiting; control-C") { usleep(20_000) }
            }
            #expect(process.isRunning)
        }

        /// How it ended, and what it said since it waited.
        func end() throws -> (status: Int32, said: String) {
            process.waitUntilExit()
            return (process.terminationStatus, try shop.read("said"))
        }
    }

    /// Kinds of the record, without what people said at gates.
    private func kinds(_ shop: ShopFixture, _ run: String) throws -> [String] {
        try shop.drrunbook("show", run, "--json").lines.filter { $0["type"].string == "record" }.compactMap { $0["kind"].string }
            .filter { $0 != "approval" }
    }

    @Test(arguments: [false, true], ["stop", "pause"])
    func `a stop holds though somebody waits for the run at its gate, and the gate is passed afterwards`(isTerminal: Bool, verb: String)
        throws
    {
        let shop = try shop(Self.gate)
        let waiter = try Waiter(shop, isTerminal: isTerminal)
        let stopped = try shop.drrunbook(verb, waiter.name)
        #expect(stopped.status == 0, "\(stopped.output)\(stopped.error)")
        #expect(try shop.drrunbook("approve", waiter.name, "go").status == 0)
        let (status, said) = try waiter.end()
        #expect(status == 9, "\(said)")
        for part in ["ledger", "not-started", "stopped", "next: drrunbook resume \(waiter.name)"] {
            #expect(said.contains(part), "\(said)")
        }
        let kinds = try kinds(shop, waiter.name)
        #expect(kinds.last == "stopped" && !kinds.contains("log"), "\(kinds)")
        // It can be taken up by whoever wants it to go on.
        #expect(try shop.drrunbook("resume", waiter.name, "--yes").status == 0)
    }

    @Test func `a pause holds though somebody waits for the run's window`() throws {
        let opens = Instant(nanosecondsSince1970: Int64(Date().timeIntervalSince1970 + 60) * 1_000_000_000)
        let shop = try shop("dr.window { opens = '\(opens)', closes = '\(opens + .seconds(3600))' }")
        let waiter = try Waiter(shop, isTerminal: false)
        #expect(try shop.drrunbook("pause", waiter.name).status == 0)
        let (status, said) = try waiter.end()
        #expect(status == 9 && said.contains("stopped"), "\(said)")
        #expect(try kinds(shop, waiter.name).last == "stopped")
    }

    @Test(arguments: [("", Int32(9), "stopped"), ("dr.undo(function() dr.fail('no') end)", 6, "not undone: failed")])
    func `who waits for a run that is undone meanwhile ends with what the undo came to`(more: String, status: Int32, words: String) throws {
        let shop = try shop(more + Self.gate)
        let before = try shop.fingerprint("sites/east/resources", "sites/west/resources")
        let waiter = try Waiter(shop, isTerminal: false)
        #expect(try shop.fingerprint("sites/east/resources", "sites/west/resources") != before)
        // What fails is tried for seconds: the waiter looks while it is under way.
        let undone = try shop.drrunbook("stop", waiter.name, "--undo", "--yes")
        #expect(undone.status == status, "\(undone.output)\(undone.error)")
        let end = try waiter.end()
        #expect(end.status == status && end.said.contains(words) && end.said.contains("ledger"), "\(end.said)")
        #expect(!end.said.contains("has ended"), "\(end.said)")
        #expect(try shop.fingerprint("sites/east/resources", "sites/west/resources") == before)
    }

    @Test func `a stop that comes while the gate is passed holds, too`() async throws {
        let shop = try shop(Self.gate)
        let host = try shop.host()
        let waiting = try await host.run("\(shop.file("runbooks/wait.lua"))", mayActivate: false)
        #expect(waiting.outcome == .waiting, "\(waiting)")
        let name = waiting.run.text
        #expect(try shop.drrunbook("approve", name, "go").status == 0)
        #expect(try shop.drrunbook("stop", name).status == 0)
        let report = try await host.carryOn(waiting, mayActivate: true)
        #expect(report.outcome == .stopped && report.isHeld && report.applications.map(\.name) == ["ledger"], "\(report)")
        #expect(report.effects == waiting.effects && !report.effects.isEmpty)
        #expect(try kinds(shop, name).last == "stopped")
        #expect(try shop.drrunbook("report", name).output.contains("this run is not at its end"))
    }

    @Test func `a run that was put down stays so, whatever is said at its gate afterwards`() throws {
        let shop = try shop(Self.gate)
        #expect(try shop.drrunbook("run", "runbooks/wait.lua").status == 3)
        let name = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        #expect(try shop.drrunbook("stop", name).status == 0)
        #expect(try shop.drrunbook("approve", name, "go").status == 0)
        #expect(try shop.drrunbook("runs", "--json").lines.last?["outcome"].string == "stopped")
        #expect(try shop.drrunbook("pause", name).status == 5, "it is put down already")
        #expect(try shop.drrunbook("report", name).output.contains("| outcome | stopped |"))
    }

    @Test func `what a run is given when it is taken up it has beyond the gates that the command waits at`() throws {
        let shop = try shop(
            "dr.step('s', function() dr.approve { name = 'go', message = 'Go?', not_author = false } dr.sleep('6s') end, { deadline = '4s' })"
        )
        let waiter = try Waiter(shop, isTerminal: false, "--extend", "10m")
        #expect(try shop.drrunbook("approve", waiter.name, "go").status == 0)
        let (status, said) = try waiter.end()
        #expect(status == 0, "\(said)")
        let taken = try shop.drrunbook("show", waiter.name, "--json").lines.filter { $0["kind"].string == "resumed" }
        #expect(taken.count == 2 && taken.allSatisfy { !$0["payload"]["extended"].isNull }, "\(taken)")
    }
}
