import DRJournal
import DRModel
import Foundation
import Testing

/// Exported runs that are taken into a journal.
@Suite(.waitsForProcesses) struct ImportTests {
    private func exported() throws -> (shop: ShopFixture, run: RunID, archive: RunArchive) {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let run = try RunID(#require(try shop.drrunbook("runs", "--json").lines.last?["run"].string))
        #expect(try shop.drrunbook("export", run.text, "-o", "a.run").status == 0)
        let archive = try RunArchive(shop.read("a.run"), file: "a.run")
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        return (shop, run, archive)
    }

    private func records(_ shop: ShopFixture, _ run: RunID) throws -> [JournalRecord] {
        try SQLiteJournal.openForReading(shop.file(".drrunbook/journal.sqlite")).records(of: run)
    }

    private func killedWhileImporting(_ shop: ShopFixture) throws {
        let killed = try shop.drrunbook(["import", "a.run"], environment: ["DRRUNBOOK_FAILPOINT": "journal.taken"])
        #expect(killed.status == 137, "\(killed.output)\(killed.error)")
    }

    @Test func `G6 an import that is killed has taken nothing, and the same again takes all`() throws {
        let (shop, run, archive) = try exported()
        try killedWhileImporting(shop)
        let none = try shop.drrunbook("runs", "--json")
        #expect(none.status == 0 && none.lines.isEmpty, "\(none.output)\(none.error)")
        let taken = try shop.drrunbook("import", "a.run")
        #expect(taken.status == 0, "\(taken.output)\(taken.error)")
        #expect(try records(shop, run) == archive.records)
        #expect(try shop.drrunbook("verify", run.text).status == 0)
        #expect(try shop.drrunbook("import", "a.run").output.contains("was here already"))
    }

    @Test func `G6 a run that is here in part stays as it was when the import of the rest is killed`() throws {
        let (shop, run, archive) = try exported()
        try FileManager.default.createDirectory(atPath: shop.file(".drrunbook"), withIntermediateDirectories: true)
        let journal = try SQLiteJournal.open(shop.file(".drrunbook/journal.sqlite"))
        try journal.begin(archive.header)
        try journal.append(archive.records.prefix(2).map { TimedEntry($0.entry, at: $0.time) }, to: run)
        try journal.close()
        try killedWhileImporting(shop)
        #expect(try records(shop, run) == Array(archive.records.prefix(2)))
        #expect(try shop.drrunbook("import", "a.run").status == 0)
        #expect(try records(shop, run) == archive.records)
    }
}
