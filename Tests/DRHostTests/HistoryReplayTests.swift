import DRHost
import DRJournal
import DRModel
import Foundation
import Testing

/// Recorded runs that every later version must replay, and edits of them that must be refused. `make record` writes histories that are missing, and changes none.
@Suite(.waitsForProcesses) struct HistoryReplayTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Histories")

    /// What was run, the edits that still fit, and those that do not with what the message must say.
    struct History: Sendable, CustomTestStringConvertible {
        let name: String
        let body: String
        var status: Int32 = 0
        var kept: [(String, String)] = []
        var refused: [(from: String, to: String, then: String, now: String)] = []
        var testDescription: String { name }
    }

    static let histories = [
        History(
            name: "plain",
            body: """
                local began = dr.now()
                dr.log("%s", math.random(1000))
                dr.step("copy", function() dr.migrate { pair = "east-west", applications = { "ledger" } } end)
                local ok, e = pcall(dr.checks, { pair = "east-west", only = { "nonsense" } })
                dr.sleep("10ms")
                dr.status { application = "ledger" }
                """,
            kept: [(#"dr.step("copy","#, #"dr.step("copy", "#), ("local began", "local start")],
            refused: [
                (#"{ "ledger" }"#, #"{ "storefront" }"#, "ledger", "storefront"), ("dr.now()", "dr.random()", "input now", "input random"),
                (#"dr.sleep("10ms")"#, "", "intent sleep", "intent status"),
                (#"dr.status { application = "ledger" }"#, #"dr.status { application = "ledger" } dr.log("more")"#, "finished", "log log"),
                (#"dr.status { application = "ledger" }"#, "", "intent status", "the end of the runbook"),
                ("dr.log(", "dr.now() dr.log(", "log log", "input now"),
            ]),
        History(
            name: "branches",
            body: """
                dr.parallel {
                  function() dr.migrate { pair = "east-west", applications = { "ledger" } } dr.log("one") end,
                  function() dr.sleep("20ms") dr.log("two") dr.migrate { pair = "east-west", applications = { "storefront" } } end,
                }
                dr.in_order("all", { parallel = 2 }, function(app) dr.status { application = app.name } end)
                """,
            refused: [
                (#"dr.log("one")"#, #"dr.log("eins")"#, "one", "eins"),
                (#"dr.in_order("all", {"#, #"dr.in_order("all", { reverse = true,"#, "ledger", "storefront"),
            ]),
        History(
            name: "move",
            body: """
                dr.failover { pair = "east-west", applications = "all", mode = "planned", accept_fuzzy = true,
                  on = { ready = function(app) dr.log("%s is ready", app.name) end } }
                """,
            refused: [
                ("is ready", "is live", "is ready", "is live"),
                (
                    #"mode = "planned""#, #"mode = "disaster", source_down = { evidence = "x", fenced = "power" }"#, "locate",
                    "without_source"
                ),
            ]),
        History(
            name: "undone",
            body: """
                dr.undo(function() dr.log("first") end, { name = "first" })
                dr.quiesce { pair = "east-west", applications = { "ledger" } }
                dr.finally(function() dr.log("the end") end)
                dr.fail("enough")
                """, status: 1,
            refused: [
                (#"dr.fail("enough")"#, "", "intent status", "the end"), (#"dr.log("first")"#, #"dr.log("other")"#, "first", "other"),
            ]),
    ]

    /// Runs that were put down during their last call and then undone: `left` by a version that left the script before it heard what the call answered, `heard` by one
    /// that lets it hear that. Nothing but a person makes such runs, so `make record` does not.
    static let undoneFromRecord = ["left", "heard"].map { name in
        History(
            name: name,
            body: """
                dr.undo(function() dr.log("first") end, { name = "first" })
                dr.quiesce { pair = "east-west", applications = { "ledger" } }
                dr.exec { argv = { "tool" } }
                dr.undo(function() dr.log("second") end, { name = "second" })
                dr.log("called")
                """,
            refused: [(#"dr.log("first")"#, #"dr.log("other")"#, "first", "other"), (#"{ "tool" }"#, #"{ "tools" }"#, "exec", "tools")])
    }

    private func text(_ body: String) -> String { "return dr.runbook { name = \"history\", run = function()\n\(body)\nend }\n" }

    private func shop() throws -> ShopFixture {
        let shop = try ShopFixture()
        return shop
    }

    private func record(_ history: History, to file: URL) throws {
        let shop = try shop()
        try shop.write("runbooks/history.lua", text(history.body))
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let answer = try shop.drrunbook("run", "runbooks/history.lua", "--yes")
        #expect(answer.status == history.status, "\(answer.output)\(answer.error)")
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        #expect(try shop.drrunbook("export", run, "-o", "history.run").status == 0)
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: shop.file("history.run"), toPath: file.path)
    }

    @Test(arguments: histories + undoneFromRecord) func `G2 a recorded history replays`(history: History) async throws {
        let file = Self.folder.appending(path: "\(history.name).run")
        if ProcessInfo.processInfo.environment["RECORD"] != nil, Self.histories.contains(where: { $0.name == history.name }),
            !FileManager.default.fileExists(atPath: file.path)
        {
            try record(history, to: file)
        }
        let shop = try shop()
        let host = try shop.host()
        defer { host.close() }
        #expect(try await host.replay(file: file.path) > 3)
        for (from, to) in history.kept {
            try shop.write("runbooks/edit.lua", text(history.body.replacing(from, with: to)))
            #expect(try await host.replay(file: file.path, against: shop.file("runbooks/edit.lua")) > 3, "\(from) -> \(to)")
        }
    }

    @Test(arguments: histories + undoneFromRecord) func `G2 an edit that does not fit a history is refused with the first difference`(
        history: History
    ) async throws {
        let file = Self.folder.appending(path: "\(history.name).run")
        let shop = try shop()
        let host = try shop.host()
        defer { host.close() }
        for edit in history.refused {
            #expect(history.body.contains(edit.from))
            try shop.write("runbooks/edit.lua", text(history.body.replacing(edit.from, with: edit.to)))
            let error = await #expect(throws: DRError.self) {
                try await host.replay(file: file.path, against: shop.file("runbooks/edit.lua"))
            }
            #expect(error?.code == .replayMismatch, "\(edit.from) -> \(edit.to): \(String(describing: error))")
            #expect(error?.details?["then"].string?.contains(edit.then) == true, "\(String(describing: error))")
            #expect(error?.details?["now"].string?.contains(edit.now) == true, "\(String(describing: error))")
        }
    }

    /// A record somebody wrote anew, with hashes that fit.
    private func rewritten(_ archive: RunArchive, _ entries: [TimedEntry], in shop: ShopFixture) throws -> String {
        let name = "rewritten-\(UUID().uuidString)"
        let journal = try SQLiteJournal.open(shop.file(name))
        try journal.begin(archive.header)
        try journal.append(entries, to: archive.header.id)
        let text = try journal.archive(of: archive.header.id).text
        try journal.close()
        try shop.write(name + ".run", text)
        return shop.file(name + ".run")
    }

    @Test(arguments: histories) func `G2 G6 a history that lost a record, or has two in another order, is refused though its hashes fit`(
        history: History
    ) async throws {
        let file = Self.folder.appending(path: "\(history.name).run")
        let archive = try RunArchive(String(decoding: Data(contentsOf: file), as: UTF8.self), file: file.path)
        let entries = archive.records.map { TimedEntry($0.entry, at: $0.time) }
        let shop = try shop()
        let host = try shop.host()
        defer { host.close() }
        #expect(try await host.replay(file: try rewritten(archive, entries, in: shop)) > 3)
        for index in entries.indices.dropLast() where ![.approval, .resumed, .stopped].contains(entries[index].entry.kind) {
            var without = entries
            without.remove(at: index)
            var swapped = entries
            swapped.swapAt(index, index + 1)
            var changes = [(without, "without record \(index)")]
            // An answer may well have come earlier than it was waited for; what the runbook asks for may not.
            if entries[index + 1].entry.kind != .outcome || entries[index + 1].entry.key == entries[index].entry.key {
                changes.append((swapped, "record \(index) and the next swapped"))
            }
            for (changed, what) in changes {
                let path = try rewritten(archive, changed, in: shop)
                let error = await #expect(throws: DRError.self, "\(what)") { try await host.replay(file: path) }
                #expect(error?.code == .replayMismatch, "\(what): \(String(describing: error))")
            }
        }
    }

    @Test func `G2 a run that an older version left before it heard all is refused and told why, and can be given up`() async throws {
        let file = Self.folder.appending(path: "left.run")
        let archive = try RunArchive(String(decoding: Data(contentsOf: file), as: UTF8.self), file: file.path)
        // As the versions before that one wrote it, killed in its undo.
        let entries = archive.records.dropLast().map { record -> TimedEntry in
            var payload = record.entry.payload.map ?? [:]
            payload["at_once"] = nil
            let isCancelled = record.entry.kind == .cancelled
            return TimedEntry(isCancelled ? JournalEntry(.cancelled, key: "", payload: .map(payload)) : record.entry, at: record.time)
        }
        let shop = try shop()
        let run = archive.header.id.text
        #expect(try shop.drrunbook("import", rewritten(archive, Array(entries), in: shop)).status == 0)
        for words in [["resume", run, "--yes"], ["stop", run, "--undo", "--yes"]] {
            let refused = try shop.drrunbook(words)
            #expect(refused.status == 1 && refused.error.contains("record 6 does not fit: then \"cancelled"), "\(words): \(refused.error)")
            #expect(refused.error.contains("Older versions could leave a script"), "\(refused.error)")
            #expect(refused.error.contains("stop \(run) --abandon REASON"), "\(refused.error)")
        }
        #expect(try shop.drrunbook("show", run, "--json").lines.count { $0["type"].string == "record" } == entries.count)
        #expect(try shop.drrunbook("stop", run, "--abandon", "undone by hand", "--yes").status == 0)
        #expect(try shop.drrunbook("runs", "--json").lines.last?["resumable"].bool == false)
    }

    @Test(arguments: histories) func `G6 a history of a later layout, or with a changed letter, is refused before it is replayed`(
        history: History
    ) async throws {
        let text = try String(decoding: Data(contentsOf: Self.folder.appending(path: "\(history.name).run")), as: UTF8.self)
        let shop = try shop()
        let host = try shop.host()
        defer { host.close() }
        let changes = [
            text.replacing("drrunbook-run-2\n", with: "drrunbook-run-3\n"), text.replacing(#"["record","1","#, with: #"["record","2","#),
            text.replacing("\"finished\"", with: "\"resumed\""),
        ]
        for changed in changes {
            #expect(changed != text)
            try shop.write("changed.run", changed)
            let error = await #expect(throws: DRError.self) { try await host.replay(file: shop.file("changed.run")) }
            #expect(error?.code == .journalDamaged, "\(String(describing: error))")
        }
    }

    @Test func `replay says in a shell whether an edit fits`() throws {
        let shop = try shop()
        let file = Self.folder.appending(path: "plain.run").path
        let history = try #require(Self.histories.first)
        try shop.write("runbooks/edit.lua", text(history.body))
        let fits = try shop.drrunbook("replay", file, "--against", "runbooks/edit.lua")
        #expect(fits.status == 0 && fits.output.contains("it fits"), "\(fits.output)\(fits.error)")
        try shop.write("runbooks/edit.lua", text(history.body.replacing("dr.now()", with: "dr.random()")))
        let differs = try shop.drrunbook("replay", file, "--against", "runbooks/edit.lua")
        #expect(differs.status == 1)
        #expect(
            differs.output.contains("then  input now") && differs.output.contains("now   input random"), "\(differs.output)\(differs.error)"
        )
        #expect(!shop.exists(".drrunbook"))
    }
}
