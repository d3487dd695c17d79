import DRHost
import DRModel
import Foundation
import Testing

/// `drrunbook test --coverage`.
@Suite(.waitsForProcesses) struct CoverageTests {
    private let shop: ShopFixture

    init() throws {
        shop = try ShopFixture()
        for name in try FileManager.default.contentsOfDirectory(atPath: shop.folder.path + "/runbooks") where name.hasSuffix(".lua") {
            try FileManager.default.removeItem(atPath: shop.folder.path + "/runbooks/" + name)
        }
        try shop.write(
            "runbooks/own.lua",
            """
            local say = require "lib.say"
            return dr.runbook {
              name = "own",
              params = { loud = { type = "boolean", default = false } },
              run = function(p)
                if p.loud then
                  say.shout("here")

                  say.shout("there")
                else
                  say.quiet("here")
                end
              end,
            }

            """)
        try shop.write(
            "runbooks/lib/say.lua",
            "return {\n  shout = function(text)\n    dr.log(\"%s!\", text)\n  end,\n  quiet = function(text)\n    dr.log(text)\n  end,\n}\n"
        )
        try shop.write(
            "runbooks/own_test.lua",
            """
            local t = require "dr.test"
            t.case("quiet", function(sim) t.outcome(sim:run("own.lua"), "succeeded") end)

            """)
    }

    @Test func `A file's missed lines are named, of the modules it requires, too`() throws {
        let answer = try shop.drrunbook("test", "runbooks", "--coverage")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
        let rows = answer.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(rows.contains("FILE LINES RAN PERCENT MISSED"), "\(answer.output)")
        #expect(rows.contains("runbooks/own.lua 9 7 77 % 7-9"), "\(answer.output)")
        #expect(rows.contains("runbooks/lib/say.lua 6 5 83 % 3"), "\(answer.output)")
        #expect(!(try shop.drrunbook("test", "runbooks").output.contains("PERCENT")), "nothing is told that nobody asked for")
    }

    @Test func `A runbook beside the tests that no case runs counts with none of its lines`() throws {
        try shop.write("runbooks/forgotten.lua", "return dr.runbook {\n  name = \"forgotten\",\n  run = function() dr.log(\"x\") end,\n}\n")
        let answer = try shop.drrunbook("test", "runbooks", "--coverage-min", "1")
        #expect(answer.status == 1)
        #expect(answer.error.contains("0 % of runbooks/forgotten.lua ran, less than 1 %: lines 1-3 did not"), "\(answer.error)")
        #expect(!answer.error.contains("own.lua"))
    }

    @Test func `Less than was asked for fails with the file and its lines, and as much does not`() throws {
        #expect(try shop.drrunbook("test", "runbooks", "--coverage-min", "77").status == 0)
        let answer = try shop.drrunbook("test", "runbooks", "--coverage-min", "78")
        #expect(answer.status == 1)
        #expect(answer.error.contains("runbooks/own.lua:7"), "\(answer.error)")
        #expect(answer.error.contains("77 % of runbooks/own.lua ran, less than 78 %: lines 7-9 did not"), "\(answer.error)")
        #expect(try shop.drrunbook("test", "runbooks", "--coverage-min", "101").status == 2)
    }

    @Test func `LCOV and JSON carry the same lines`() throws {
        let answer = try shop.drrunbook("test", "runbooks", "--json", "--lcov", "coverage.info")
        #expect(answer.status == 0, "\(answer.error)")
        let report = try shop.read("coverage.info")
        #expect(report.contains("SF:\(shop.folder.path)/runbooks/own.lua\n"))
        #expect(report.contains("DA:7,0\n") && report.contains("LF:9\nLH:7\nend_of_record"), "\(report)")
        let line = try #require(answer.lines.first { $0["file"].string == "runbooks/own.lua" && $0["type"].string == "test.coverage" })
        #expect(line["missed"].list == [.list([.integer(7), .integer(9)])])
        #expect(line["lines"].integer == 9 && line["covered"].integer == 7)
    }

    @Test func `What init writes is covered by its own tests`() throws {
        let answer = try ShopFixture().drrunbook("test", "runbooks", "--coverage-min", "100")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
    }

    @Test func `Cases give the same traces whether lines are noted or not`() throws {
        func traces(_ options: String...) throws -> [String?] {
            try shop.drrunbook(["test", "runbooks", "--json"] + options).lines.map { $0["trace"].string }.filter { $0 != nil }
        }
        let traces = (try traces(), try traces("--coverage"))
        #expect(traces.0 == traces.1 && !traces.0.isEmpty)
    }
}
