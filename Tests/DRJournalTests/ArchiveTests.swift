import DRJournal
import DRModel
import Foundation
import Testing

@Suite struct ArchiveTests {
    private func exported() throws -> (first: RunArchive, second: RunArchive) {
        let fixture = try JournalFixture()
        try fixture.write("run-1", "run-2")
        let journal = try SQLiteJournal.openForReading(fixture.path)
        return (try journal.archive(of: "run-1"), try journal.archive(of: "run-2"))
    }

    // The first bad record: -1 = the header; nil = nothing was found.
    private func damage(_ text: String) -> Int64? {
        do {
            let archive = try RunArchive(text, file: "x.run")
            return archive.isClosed ? nil : archive.count
        } catch let error as DRError {
            #expect(error.code == .journalDamaged)
            return error.details?["record"].integer ?? -1
        } catch {
            Issue.record("\(error)")
            return nil
        }
    }

    @Test func `a run reads back from its file as it was, and goes into another journal with the same hashes`() throws {
        let (first, _) = try exported()
        let read = try RunArchive(first.text, file: "x.run")
        #expect(read.records == first.records && read.header == first.header && read.isClosed)
        let other = try JournalFixture()
        try other.write("run-0")
        let journal = try SQLiteJournal.open(other.path)
        #expect(try journal.take(read) == first.records.count)
        #expect(try journal.take(read) == 0)
        #expect(try journal.records(of: "run-1") == first.records)
        #expect(try journal.runs().map(\.id) == ["run-0", "run-1"])
        #expect(try journal.archive(of: "run-1").text == first.text)
        try journal.close()
    }

    @Test func `G6 a number that is spelt otherwise than it was written is found`() throws {
        let text = try exported().first.text
        let cases = [
            (#"["record","0","#, #"["record","+0","#), (#"["record","1","#, #"["record","01","#), (#"["record","1","#, #"["record","+1","#),
        ]
        for (old, new) in cases {
            #expect(text.contains(old))
            #expect(damage(text.replacingOccurrences(of: old, with: new)) == (old.contains("0") ? 0 : 1), "\(new)")
        }
        let lines = text.split(separator: "\n"), count = lines.count - 3
        #expect(text.contains(#"["head","\#(count)""#))
        #expect(damage(text.replacingOccurrences(of: #"["head","\#(count)""#, with: #"["head","+\#(count)""#)) != nil)
        // The time, too.
        let record = try #require(try Value(json: String(lines[2])).list?.compactMap(\.string))
        #expect(damage(text.replacingOccurrences(of: #""\#(record[2])","#, with: #""+\#(record[2])","#)) == 0)
    }

    @Test func `a run that went on elsewhere is taken up to there, and one that differs is refused`() throws {
        let here = try JournalFixture(), there = try JournalFixture()
        let entries = JournalFixture.entries
        func begin(_ fixture: JournalFixture, _ count: Int, _ last: JournalEntry? = nil) throws {
            let journal = try SQLiteJournal.open(fixture.path)
            try journal.begin(JournalFixture.header("run-1"))
            for (index, entry) in (entries.prefix(count) + (last.map { [$0] } ?? [])).enumerated() {
                try journal.append(entry, to: "run-1", at: Instant(nanosecondsSince1970: Int64(index)))
            }
            try journal.close()
        }
        try begin(here, 2)
        try begin(there, 4)
        let archive = try SQLiteJournal.openForReading(there.path).archive(of: "run-1")
        let journal = try SQLiteJournal.open(here.path)
        #expect(try journal.take(archive) == 2)
        #expect(try journal.records(of: "run-1").map(\.entry) == Array(entries.prefix(4)))
        let other = try JournalFixture()
        try begin(other, 2, JournalEntry(.log, key: "9"))
        let different = try SQLiteJournal.openForReading(other.path).archive(of: "run-1")
        let error = #expect(throws: DRError.self) { try journal.take(different) }
        #expect(error?.code == .conflict && error?.details?["record"].integer == 2)
        try journal.close()
    }

    @Test func `G6 no flipped byte of an exported run goes unnoticed, and the record it is in is named`() throws {
        let (first, _) = try exported()
        let lines = first.text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.utf8) }
        for (number, line) in lines.enumerated() where !line.isEmpty {
            for place in line.indices {
                var changed = lines
                changed[number][place] ^= 0x01
                let text = String(decoding: Data(changed.joined(separator: [10])), as: UTF8.self)
                let found = damage(text)
                let expected: Int64 = number < 2 ? -1 : Int64(number - 2)
                // The last line tells the number of records: what is wrong with it is said of the records it does not fit.
                if number < lines.count - 2 {
                    #expect(found == expected, "line \(number), byte \(place)")
                } else {
                    #expect(found != nil, "byte \(place) of the end")
                }
            }
        }
    }

    @Test func `G6 dropped, swapped, spliced, doubled and cut records are found, and the first one named`() throws {
        let (first, second) = try exported()
        let lines = first.text.split(separator: "\n").map(String.init), others = second.text.split(separator: "\n").map(String.init)
        func text(_ lines: [String]) -> String { lines.joined(separator: "\n") + "\n" }
        let count = lines.count - 3
        for record in 0..<count {
            var dropped = lines
            dropped.remove(at: record + 2)
            #expect(damage(text(dropped)) == Int64(record), "dropped \(record)")
            var doubled = lines
            doubled.insert(lines[record + 2], at: record + 2)
            #expect(damage(text(doubled)) == Int64(record + 1), "doubled \(record)")
            var spliced = lines
            spliced[record + 2] = others[record + 2]
            #expect(damage(text(spliced)) == Int64(record), "spliced \(record)")
            // Cut off with the last line kept, and with nothing after it.
            #expect(damage(text(Array(lines.prefix(record + 2)) + [lines[lines.count - 1]])) == Int64(record), "tail \(record)")
            #expect(damage(text(Array(lines.prefix(record + 2)))) == Int64(record), "cut \(record)")
            if record > 0 {
                var swapped = lines
                swapped.swapAt(record + 1, record + 2)
                #expect(damage(text(swapped)) == Int64(record - 1), "swapped \(record)")
            }
        }
        for length in stride(from: 1, to: first.text.utf8.count, by: 7) {
            #expect(damage(String(decoding: first.text.utf8.prefix(length), as: UTF8.self)) != nil, "cut to \(length) bytes")
        }
        #expect(damage(text(Array(others.prefix(2)) + Array(lines.dropFirst(2)))) == 0)
        #expect(damage(first.text + "x") != nil)
    }
}
