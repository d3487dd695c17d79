import DRHost
import DRModel
import Foundation
import Testing

/// Calls outside from a shell's point of view.
@Suite(.waitsForProcesses) struct OutsideHostTests {
    private let secret = "hunter2-\(UUID().uuidString)"

    @Test func `G7 a link among the modules of a runbook is refused, so that no other file comes into the record`() throws {
        let shop = try ShopFixture()
        try shop.write("outside.key", "-- a key of the host's own\nreturn {}\n")
        try shop.write("runbooks/lib/known.lua", "return {}\n")
        try FileManager.default.createSymbolicLink(
            atPath: shop.file("runbooks/lib/evil.lua"), withDestinationPath: shop.file("outside.key"))
        let sites = try shop.fingerprint("sites")
        let answer = try shop.drrunbook("run", "runbooks/protect.lua", "--yes")
        #expect(answer.status == 2)
        #expect(answer.error.contains("runbooks/lib/evil.lua is a link or no file"))
        #expect(try shop.fingerprint("sites") == sites)
    }

    private func shop(_ body: String, script: String) throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write("tool.sh", "#!/bin/sh\n\(script)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: shop.file("tool.sh"))
        try shop.write(
            "dr.yaml",
            shop.read("dr.yaml")
                + "\nallow:\n  exec: [{ name: tool, path: \(shop.file("tool.sh")), args: [\"*\"], env: [TOKEN] }]\n"
                + "  secrets: [TOOL_TOKEN]\n")
        try shop.write("runbooks/call.lua", "return dr.runbook { name = \"call\", run = function()\n\(body)\nend }\n")
        return shop
    }

    @Test func `a secret's value is in no file and no output of a run`() throws {
        let shop = try shop(
            """
            local r = dr.exec { argv = { "tool", "x" }, env = { TOKEN = dr.secret "TOOL_TOKEN" }, stdin = dr.secret "TOOL_TOKEN" }
            dr.log("%s", r.stdout)
            dr.log("%s", tostring(select(2, pcall(dr.exec, { argv = { "tool", "fail" }, env = { TOKEN = dr.secret "TOOL_TOKEN" } }))))
            dr.fail("after all: " .. r.stderr)
            """,
            script: #"[ -n "$TOKEN" ] || exit 9; echo "got $TOKEN"; echo "$TOKEN" >&2; [ "$1" != fail ]"#)
        var said = ""
        for arguments in [
            ["plan", "runbooks/call.lua"], ["plan", "runbooks/call.lua", "--json", "--out", "plan.json"],
            ["run", "runbooks/call.lua", "-v"],
            ["run", "runbooks/call.lua", "--json"], ["runs", "--json"],
        ] {
            let answer = try shop.drrunbook(arguments, environment: ["TOOL_TOKEN": secret])
            said += answer.output + answer.error
        }
        let runs = try shop.drrunbook("runs", "--json").lines.compactMap { $0["run"].string }
        #expect(runs.count == 2)
        for run in runs {
            let reports = ["md", "json", "junit", "html"].map { ["report", run, "--format", $0] }
            let shown = [[], ["--json"], ["-v"]].map { ["show", run] + $0 }
            for arguments in shown + reports + [["verify", run], ["replay", run, "--against", "runbooks/call.lua"]] {
                let answer = try shop.drrunbook(arguments)
                #expect(answer.status == 0, "\(arguments): \(answer.output)\(answer.error)")
                said += answer.output + answer.error
            }
            #expect(try shop.drrunbook("export", run, "-o", "\(run).run").status == 0)
        }
        #expect(said.contains("got [secret TOOL_TOKEN]") && said.contains("hmac-sha256:"))
        #expect(!said.contains(secret))
        let needle = Data(secret.utf8)
        var files = 0
        for case let name as String in FileManager.default.enumerator(atPath: shop.folder.path) ?? .init() {
            guard let bytes = FileManager.default.contents(atPath: shop.file(name)) else { continue }
            files += 1
            #expect(bytes.range(of: needle) == nil, "\(name)")
        }
        #expect(files > 10)
        let mode = try FileManager.default.attributesOfItem(atPath: shop.file(".drrunbook/fingerprint.key"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `G4 a plan calls nothing, writes nothing and lists the same effects as the run`() throws {
        let shop = try shop(
            "dr.secret 'TOOL_TOKEN' dr.exec { argv = { 'tool' } } dr.migrate { pair = 'east-west', applications = 'all' }",
            script: "touch called")
        let before = try shop.fingerprint()
        let planned = try shop.drrunbook(["plan", "runbooks/call.lua", "--json"], environment: ["TOOL_TOKEN": secret])
        #expect(planned.status == 0, "\(planned.error)")
        #expect(try shop.fingerprint() == before)
        let run = try shop.drrunbook(["run", "runbooks/call.lua", "--json"], environment: ["TOOL_TOKEN": secret])
        #expect(run.status == 0)
        #expect(shop.exists("called"))
        func effects(_ answer: ShopFixture.Answer) -> [String] {
            answer.lines.filter { $0["type"].string == "action.finished" }.flatMap {
                ($0["effects"].list ?? []).compactMap { $0["text"].string }
            }
        }
        #expect(effects(planned) == effects(run))
        #expect(effects(run).first == "call exec tool")
    }

    @Test func `G2 killed around a call, the run asks a person with exit status 3 and calls at most once`() throws {
        for (place, happened) in [("outside.begun", false), ("run.action-done", true)] {
            let shop = try shop("dr.exec { argv = { 'tool' } } dr.log('went on')", script: "echo x >> called")
            #expect(try shop.drrunbook(["run", "runbooks/call.lua"], environment: ["DRRUNBOOK_FAILPOINT": place]).status == 137)
            #expect(shop.exists("called") == happened)
            let run = try #require(try shop.drrunbook("runs", "--json").lines.first?["run"].string)
            for _ in 0..<2 {
                let waiting = try shop.drrunbook("resume", run)
                #expect(waiting.status == 3, "\(waiting.output)\(waiting.error)")
                #expect(waiting.error.contains("--settle 0/1/1/do=done|not-done"), "\(waiting.error)")
            }
            #expect(try shop.drrunbook("resume", run, "--settle", "0/1/1/do=maybe").status == 2)
            let word = happened ? "done" : "not-done"
            let settled = try shop.drrunbook("resume", run, "--settle", "0/1/1/do=\(word)", "--reason", "looked at its log")
            #expect(settled.status == 0, "\(settled.output)\(settled.error)")
            try expectSettled(run, in: shop, as: word, because: "looked at its log")
            #expect(settled.output.contains("went on"))
            #expect(try shop.read("called") == "x\n")
        }
    }

    /// The word stands in the record: whose it is, when it was given and why, wherever the run is told of.
    private func expectSettled(_ run: String, in shop: ShopFixture, as word: String, because reason: String?) throws {
        let records = try shop.drrunbook("show", run, "--json").lines
        let who = try #require(records.first?["who"].string)
        let resumed = try #require(records.last { $0["kind"].string == "resumed" })
        #expect(resumed["payload"]["settled"]["0/1/1/do"].string == word && resumed["payload"]["reason"].string == reason)
        let text = "0/1/1/do as \(word) by \(who)" + (reason.map { ": \($0)" } ?? ", who gave no reason")
        let shown = try shop.drrunbook("show", run).output
        #expect(shown.contains("settled \(text)\n"), "\(shown)")
        let report = try shop.drrunbook("report", run).output
        #expect(report.contains("- settled by a person at \(resumed["time"].string ?? "?"): exec, \(text)\n"), "\(report)")
        let verified = try shop.drrunbook("verify", run)
        #expect(verified.status == 0 && verified.output.contains(": \(text)\n"), "\(verified.output)\(verified.error)")
        let object = try #require(try shop.drrunbook("verify", run, "--json").lines.first?["settled"].list?.first)
        #expect(object["who"].string == who && object["word"].string == word && object["reason"].string == reason)
    }

    @Test func `a reason for nothing, or of nothing, is refused`() throws {
        let shop = try ShopFixture()
        for (words, message) in [
            (["--reason", "x"], "--reason belongs to --settle"), (["--settle", "0/1/1/do=done", "--reason", " "], "expected how you know"),
        ] {
            let refused = try shop.drrunbook(["resume", "20260301-021500-3f2a"] + words)
            #expect(refused.status == 2 && refused.error.contains(message), "\(refused.error)")
        }
    }

    @Test(arguments: [("outside.begun", "not-done"), ("run.action-done", "done")])
    func `G2 G12 a run killed around a call is undone when a person has said what became of it, and goes no further`(
        place: String, found: String
    ) throws {
        let shop = try shop(
            """
            dr.undo(function() dr.log("first undone") end, { name = "first" })
            dr.exec { argv = { 'tool', 'one' } }
            dr.undo(function() dr.log("one undone") end, { name = "one" })
            dr.exec { argv = { 'tool', 'two' } }
            """, script: "echo $1 >> called")
        #expect(try shop.drrunbook(["run", "runbooks/call.lua"], environment: ["DRRUNBOOK_FAILPOINT": place]).status == 137)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.first?["run"].string)
        let asked = try shop.drrunbook("stop", run, "--undo", "--yes")
        #expect(asked.status == 3, "\(asked.output)\(asked.error)")
        #expect(asked.error.contains("drrunbook stop \(run) --undo --settle 0/1/1/do=done|not-done"), "\(asked.error)")
        #expect(!asked.error.contains("nothing is registered"))
        let shown = try shop.drrunbook("stop", run, "--undo", "--settle", "0/1/1/do=\(found)")
        #expect(shown.status == 2 && shown.error.contains("undone   first"), "\(shown.error)")
        #expect(shown.error.contains("undone   one") == (found == "done"), "\(shown.error)")
        let undone = try shop.drrunbook("stop", run, "--undo", "--yes", "--settle", "0/1/1/do=\(found)")
        #expect([6, 9].contains(undone.status), "\(undone.output)\(undone.error)")
        #expect(undone.output.contains("first undone") && undone.output.contains("one undone") == (found == "done"))
        #expect(shop.exists("called") == (found == "done"))
        if found == "done" { #expect(try shop.read("called") == "one\n") }
        let report = try shop.drrunbook("report", run).output
        #expect(!report.contains("no outcome"), "\(report)")
        try expectSettled(run, in: shop, as: found, because: nil)
        #expect(report.contains("| exec | not carried out |") == (found == "done"), "what comes after it is not called: \(report)")
        let written = try shop.drrunbook("show", run).output
        #expect(written.contains("it was not made") == (found == "not-done"), "\(written)")
        #expect(try shop.drrunbook("replay", run, "--against", "runbooks/call.lua").status == 0)
        #expect(try shop.drrunbook("stop", run, "--settle", "0/1/1/do=done").status == 2)
    }

    @Test func `G12 who undoes a run whose process is calling something is shown what is registered`() throws {
        let shop = try shop(
            """
            dr.undo(function() dr.log("first undone") end, { name = "first" })
            dr.exec { argv = { 'tool' } }
            """, script: "touch called; i=0; while [ ! -e done ] && [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done")
        let process = Process()
        process.executableURL = ShopFixture.executable
        process.arguments = ["run", "runbooks/call.lua", "--yes"]
        process.currentDirectoryURL = shop.folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.start()
        while process.isRunning, !shop.exists("called") { usleep(10_000) }
        let run = try #require(try shop.drrunbook("runs", "--json").lines.first?["run"].string)
        let shown = try shop.drrunbook("stop", run, "--undo")
        #expect(shown.status == 2 && shown.error.contains("undone   first"), "\(shown.error)")
        #expect(!shown.error.contains("nothing is registered"), "\(shown.error)")
        let told = try shop.drrunbook("stop", run, "--undo", "--yes")
        #expect(told.status == 0 && told.error.contains("undone   first"), "\(told.output)\(told.error)")
        try shop.write("done", "")
        process.waitUntilExit()
        #expect([6, 9].contains(process.terminationStatus))
    }

    @Test func `G12 what a run asked for and never began is told as that, not as a call of which nobody knows the outcome`() throws {
        let shop = try shop(
            """
            dr.exec { argv = { 'tool', 'one' }, idempotent = true }
            dr.undo(function() dr.log("one undone") end, { name = "one" })
            dr.exec { argv = { 'tool', 'two' } }
            """, script: "echo $1 >> called; i=0; while [ ! -e done ] && [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done")
        let process = Process()
        process.executableURL = ShopFixture.executable
        process.arguments = ["run", "runbooks/call.lua", "--yes"]
        process.currentDirectoryURL = shop.folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.start()
        while process.isRunning, !shop.exists("called") { usleep(10_000) }
        let run = try #require(try shop.drrunbook("runs", "--json").lines.first?["run"].string)
        #expect(try shop.drrunbook("report", run).output.contains("- no outcome recorded: exec\n"), "it is under way")
        #expect(try shop.drrunbook("pause", run).status == 0)
        try shop.write("done", "")
        process.waitUntilExit()
        #expect(process.terminationStatus == 9)
        let undone = try shop.drrunbook("stop", run, "--undo", "--yes")
        #expect(undone.status == 9 && undone.output.contains("one undone"), "\(undone.output)\(undone.error)")
        #expect(try shop.read("called") == "one\n")
        let report = try shop.drrunbook("report", run).output
        #expect(!report.contains("no outcome") && report.contains("| exec | not carried out |"), "\(report)")
    }

    @Test func `G5 what a drill's hooks call is left out unless the call says otherwise, though the run is live`() throws {
        let shop = try shop(
            """
            local drill = dr.drill { pair = "east-west", applications = { "ledger" }, on = { ready = function()
              dr.log("skipped: %s", tostring(dr.exec { argv = { "tool", "hook" } }.skipped))
              dr.parallel { function() dr.exec { argv = { "tool", "branch" } } end }
              dr.exec { argv = { "tool", "asked" }, in_drill = "run" }
            end } }
            dr.exec { argv = { "tool", "after" } }
            dr.cleanup { drill = drill }
            """, script: #"echo "$1 $DRRUNBOOK_MODE" >> called"#)
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let run = try shop.drrunbook("run", "runbooks/call.lua")
        #expect(run.status == 0, "\(run.output)\(run.error)")
        #expect(run.output.contains("skipped: true"))
        #expect(try shop.read("called") == "asked drill\nafter live\n")
    }

    @Test func `G7 what dr.yaml does not allow is exit status 5, with the nearest entry and its line`() throws {
        let shop = try shop("dr.exec { argv = { 'tol' } }", script: "touch called")
        let answer = try shop.drrunbook("run", "runbooks/call.lua")
        #expect(answer.status == 5)
        #expect(
            answer.error.contains("did you mean \"tool\" (\(shop.folder.path)") || answer.error.contains("did you mean \"tool\" (dr.yaml:"))
        #expect(!shop.exists("called"))
    }
}
