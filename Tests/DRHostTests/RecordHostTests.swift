import DRHost
import DRModel
import Foundation
import Testing

/// Records of runs from a shell's point of view: verified, carried elsewhere, taken over.
@Suite(.waitsForProcesses) struct RecordHostTests {
    @Test func `what is recorded of runs is for the account's own eyes`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        func permissions(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: shop.file(path))[.posixPermissions] as? Int
        }
        #expect(try permissions(".drrunbook") == 0o700)
        #expect(try permissions(".drrunbook/journal.sqlite") == 0o600)
    }

    private func moved() throws -> (ShopFixture, String) {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        return (shop, run)
    }

    @Test func `G6 the head of a run stands at the destination, and a cut tail is found though the journal fits itself`() throws {
        let (shop, run) = try moved()
        #expect(shop.exists("sites/west/.dr/runs/\(run)/head"))
        let good = try shop.drrunbook("verify", run)
        #expect(good.status == 0 && good.output.contains("anchored: "), "\(good.output)\(good.error)")
        // Another host's journal, which ends earlier and is right in itself.
        try shop.drrunbook("export", run, "-o", "all.run")
        #expect(try shop.drrunbook("verify", "all.run").status == 0)
        var lines = try shop.read("all.run").split(separator: "\n").map(String.init)
        let head = try #require(try? Value(json: lines[lines.count - 3]).list?.last?.string)
        let count = lines.count - 3
        lines = lines.dropLast(2) + [Value.list(["head", .string(String(count - 1)), .string(head)]).json()]
        try shop.write("short.run", lines.joined(separator: "\n") + "\n")
        #expect(try shop.drrunbook("verify", "short.run").status == 0)
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        #expect(try shop.drrunbook("import", "short.run").status == 0)
        let short = try shop.drrunbook("verify", run)
        #expect(short.status == 7, "\(short.output)\(short.error)")
        #expect(short.error.contains("record \(count - 1) is missing"))
    }

    @Test func `G6 a run that was dropped from the journal is damage where a cluster has noted it`() throws {
        let (shop, run) = try moved()
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        for _ in 0..<2 {
            let gone = try shop.drrunbook("verify", run)
            #expect(gone.status == 7 && gone.error.contains("record 0 is missing"), "\(gone.status) \(gone.error)")
            // Then with a journal that has other runs.
            #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        }
        #expect(try shop.drrunbook("verify", "20200101-000000-0000").status == 2)
    }

    @Test func `G6 every record of a cluster's copy is compared, and a damaged copy is named`() throws {
        let (shop, run) = try moved()
        let path = "sites/west/.dr/runs/\(run)/records"
        let copy = try shop.read(path)
        try shop.write(path, copy.replacing("\"intent\"", with: "\"Intent\"", maxReplacements: 1))
        let damaged = try shop.drrunbook("verify", run)
        #expect(damaged.status == 7 && damaged.error.contains(path) && damaged.error.contains("record 0 is not"), "\(damaged.error)")
        try FileManager.default.removeItem(atPath: shop.file(path))
        let missing = try shop.drrunbook("verify", run)
        #expect(missing.status == 7 && missing.error.contains("is missing"), "\(missing.error)")
        try shop.write(path, copy)
        #expect(try shop.drrunbook("verify", run).status == 0)
        try FileManager.default.moveItem(atPath: shop.file("sites/west"), toPath: shop.file("sites/gone"))
        let silent = try shop.drrunbook("verify", run)
        #expect(silent.output.contains("does not answer: west") && silent.output.contains("not anchored"), "\(silent.output)")
    }

    @Test func `G6 an exported file is verified without a configuration, and the first bad record is named`() throws {
        let (shop, run) = try moved()
        #expect(try shop.drrunbook("export", run, "-o", "a.run").status == 0)
        #expect(try shop.drrunbook("export", run, "-o", "a.run").status == 5)
        try FileManager.default.removeItem(atPath: shop.file("dr.yaml"))
        #expect(try shop.drrunbook("verify", "a.run").status == 0)
        try shop.replace("a.run", "\"intent\"", "\"Intent\"")
        let answer = try shop.drrunbook("verify", "a.run")
        #expect(answer.status == 7 && answer.error.contains("record 0"), "\(answer.error)")
    }

    @Test func `G6 an empty journal is damage, not a fresh start`() throws {
        let (shop, _) = try moved()
        try shop.write(".drrunbook/journal.sqlite", "")
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: shop.file(".drrunbook/journal.sqlite\(suffix)")) }
        for words in [["runs"], ["run", "runbooks/protect.lua"]] {
            let answer = try shop.drrunbook(words)
            #expect(answer.status == 7 && answer.error.contains("is empty"), "\(answer.output)\(answer.error)")
        }
    }

    @Test func `G2 G9 a run is taken over by a host that has dr.yaml and the destination alone`() throws {
        let (shop, _) = try moved()
        try shop.write(
            "runbooks/disaster-now.lua",
            """
            return dr.runbook { name = "now", run = function()
              dr.log("%s", tostring(dr.now()))
              dr.failover { pair = "east-west", applications = "all", mode = "disaster", accept_data_loss = "10h", accept_fuzzy = true,
                source_down = { evidence = "fire", fenced = "power" } }
            end }
            """)
        try FileManager.default.moveItem(atPath: shop.file("sites/east"), toPath: shop.file("sites/lost"))
        try FileManager.default.moveItem(atPath: shop.file("objects"), toPath: shop.file("lost-objects"))
        let killed = try shop.drrunbook(
            ["run", "runbooks/disaster-now.lua", "--yes"], environment: ["DRRUNBOOK_FAILPOINT": "run.outcome-recorded:4"])
        #expect(killed.status == 137, "\(killed.output)\(killed.error)")
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        let before = try shop.drrunbook("show", run, "--json").lines.filter { $0["type"].string == "record" }.compactMap {
            $0["hash"].string
        }
        let copied = try shop.read("sites/west/.dr/runs/\(run)/records").split(separator: "\n").dropFirst(2).compactMap {
            try? Value(json: String($0)).list?.last?.string
        }
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        let taken = try shop.drrunbook("resume", run, "--yes")
        #expect(taken.status == 0 || taken.status == 4, "\(taken.output)\(taken.error)")
        #expect((taken.output + taken.error).contains("is taken over from") && (taken.output + taken.error).contains("records from west"))
        let after = try shop.drrunbook("show", run, "--json").lines.filter { $0["type"].string == "record" }.compactMap {
            $0["hash"].string
        }
        // The newcomer goes on from the copy, record for record; what the first host wrote after it is the outcome of what stood there as begun.
        #expect(Array(after.prefix(copied.count)) == copied && copied.count >= before.count - 2 && before.count > copied.count)
        #expect(Array(before.prefix(copied.count)) == copied)
        let kinds = try shop.drrunbook("show", run, "--json").lines.compactMap { $0["kind"].string }
        #expect(kinds[copied.count] == "resumed" && kinds.last == "finished")
        let intents = try shop.drrunbook("show", run, "--json").lines.filter { $0["kind"].string == "intent" }.compactMap {
            $0["key"].string
        }
        #expect(Set(intents).count == intents.count, "nothing was asked for twice")
        #expect(try shop.drrunbook("verify", run).status == 0)
        let status = try shop.drrunbook("status", "--json").lines.filter { $0["type"].string == "status" }
        #expect(status.count == 2)
        for application in status {
            #expect(application["active_at"].string == "west" && application["running"].bool == true && application["epoch"].integer == 2)
        }
    }
}
