import DRJournal
import DRModel
import Foundation
import Testing

@testable import DRHost

/// Ends of records that are signed.
@Suite(.waitsForProcesses) struct SigningTests {
    /// A shop whose runs are signed with `keys/here`; `other` has a key, too.
    private func shop() throws -> ShopFixture {
        let shop = try ShopFixture()
        try FileManager.default.createDirectory(atPath: shop.file("keys"), withIntermediateDirectories: true)
        for name in ["here", "other", "stranger"] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-keygen")
            process.arguments = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", shop.file("keys/\(name)")]
            try process.start()
            process.waitUntilExit()
        }
        try shop.write("dr.yaml", shop.read("dr.yaml") + signing(shop, with: "here"))
        return shop
    }

    private func signing(_ shop: ShopFixture, with key: String) throws -> String {
        var text = "\nsigning:\n  keyFile: keys/\(key)\n  hosts:\n"
        for name in ["here", "other"] {
            text += "    \(name): { sshKey: \"\(try shop.read("keys/\(name).pub").split(separator: "\n")[0])\" }\n"
        }
        return text
    }

    private func ran(_ shop: ShopFixture) throws -> String {
        let answer = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
        return try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
    }

    @Test func `G6 heads are signed at the destination, in reports and in exports, and verify says by which key`() throws {
        let shop = try shop()
        let run = try ran(shop)
        let head = try #require(NotedHead(shop.read("sites/west/.dr/runs/\(run)/head")))
        #expect(head.signature?.hasPrefix("-----BEGIN SSH SIGNATURE-----") == true)
        let verified = try shop.drrunbook("verify", run)
        #expect(verified.status == 0 && verified.output.contains("at west, signed by here (SHA256:"), "\(verified.output)\(verified.error)")
        #expect(!verified.output.contains("not anchored"))
        #expect(try shop.drrunbook("export", run, "-o", "a.run").status == 0)
        let file = try shop.drrunbook("verify", "a.run")
        #expect(file.status == 0 && file.output.contains("signed by here (SHA256:"), "\(file.output)\(file.error)")
        let report = try shop.drrunbook("report", run, "--format", "json")
        #expect(report.output.contains("BEGIN SSH SIGNATURE"))
        #expect(try shop.drrunbook("report", run, "--format", "json").output == report.output)
        // Of somebody who may sign, but of another end.
        var lines = try shop.read("a.run").split(separator: "\n").map(String.init)
        let end = try #require(Value(json: lines.removeLast()).list)
        let cut = try #require(Value(json: lines.removeLast()).list), before = try #require(Value(json: lines[lines.count - 1]).list)
        #expect(cut.count == 9 && end.count == 4)
        let shorter = Value.list([.string("head"), cut[1], before[8], end[3]]).json()
        try shop.write("b.run", (lines + [shorter]).joined(separator: "\n") + "\n")
        let forged = try shop.drrunbook("verify", "b.run")
        #expect(forged.status == 7 && forged.error.contains("signed by none of the keys"), "\(forged.output)\(forged.error)")
        let refused = try shop.drrunbook("import", "b.run")
        #expect(refused.status == 7 && refused.error.contains("signed by none of the keys"), "\(refused.output)\(refused.error)")
    }

    @Test func `G6 a head that nobody signed anchors nothing where keys are named, and a stranger's is damage`() throws {
        let shop = try shop()
        let run = try ran(shop)
        let path = "sites/west/.dr/runs/\(run)/head"
        let signed = try shop.read(path)
        try shop.write(path, String(signed.prefix { $0 != "\n" }) + "\n")
        let bare = try shop.drrunbook("verify", run)
        #expect(bare.status == 0 && bare.output.contains("tail not anchored") && bare.output.contains("NOT SIGNED"), "\(bare.output)")
        let json = try shop.drrunbook("verify", run, "--json").lines.first
        #expect(json?["anchored"].integer == 0 && json?["anchors"].list?.first?["signed"].string == "missing")
        try shop.write(path, signed.replacingOccurrences(of: "U1NIU0lH", with: "U1NIU0lI"))
        let wrong = try shop.drrunbook("verify", run)
        #expect(wrong.status == 7 && wrong.error.contains("signed by none of the keys"), "\(wrong.output)\(wrong.error)")
        // Its writer's key is no longer among those that count.
        try shop.write(path, signed)
        let key = try shop.read("keys/here.pub").split(separator: " ")[1]
        try shop.replace("dr.yaml", String(key), String(shop.read("keys/stranger.pub").split(separator: " ")[1]))
        #expect(try shop.drrunbook("verify", run).status == 7)
    }

    @Test func `G6 a copy with a wrong signature is not taken over, and one of another host is`() throws {
        let shop = try shop()
        try shop.write(
            "runbooks/two.lua",
            """
            return dr.runbook { name = "two", run = function()
              dr.migrate { pair = "east-west", applications = { "ledger" } }
              dr.approve { name = "go", message = "?" }
            end }
            """)
        _ = try ran(shop)
        #expect(try shop.drrunbook("run", "runbooks/two.lua").status == 3)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        let path = "sites/west/.dr/runs/\(run)/head"
        let signed = try shop.read(path)
        try shop.write(path, signed.replacingOccurrences(of: "U1NIU0lH", with: "U1NIU0lI"))
        let refused = try shop.drrunbook("resume", run)
        #expect(refused.status == 7 && refused.error.contains("signed by none of the keys"), "\(refused.output)\(refused.error)")
        try shop.write(path, signed)
        try shop.replace("dr.yaml", "keyFile: keys/here", "keyFile: keys/other")
        let taken = try shop.drrunbook("resume", run)
        #expect(taken.status == 3 && (taken.output + taken.error).contains("is taken over from"), "\(taken.output)\(taken.error)")
        #expect(try shop.drrunbook("verify", run).output.contains("signed by other (SHA256:"))
    }

    // MARK: What nobody signed

    /// A run that waits at a gate, on a host whose state folder is gone since.
    private func left(_ shop: ShopFixture) throws -> String {
        try shop.write(
            "runbooks/two.lua",
            """
            return dr.runbook { name = "two", run = function()
              dr.migrate { pair = "east-west", applications = { "ledger" } }
              dr.approve { name = "go", message = "?", not_author = false }
              dr.log("as it was written")
            end }
            """)
        _ = try ran(shop)
        #expect(try shop.drrunbook("run", "runbooks/two.lua").status == 3)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        return run
    }

    /// The run with another text, its chain made again, as somebody makes it who has no key.
    private func forge(_ run: String, _ shop: ShopFixture) throws -> RunArchive {
        let whole = try SQLiteJournal.openForReading(shop.file(".drrunbook/journal.sqlite")).archive(of: RunID(run))
        var header = whole.header
        header.texts["runbooks/two.lua"] = header.texts["runbooks/two.lua"]?.replacingOccurrences(of: "as it was written", with: "forged")
        let path = shop.file("forge-\(UUID().uuidString)")
        let journal = try SQLiteJournal.open(path)
        try journal.begin(header)
        for record in whole.records { try journal.append(record.entry, to: header.id, at: record.time) }
        try journal.close()
        return try SQLiteJournal.openForReading(path).archive(of: header.id)
    }

    private func put(_ archive: RunArchive, at copy: String, _ shop: ShopFixture) throws {
        try shop.write("\(copy)/records", archive.text.split(separator: "\n").dropLast().joined(separator: "\n") + "\n")
        try shop.write("\(copy)/head", "\(archive.count) \(archive.hash)\n")
    }

    @Test func `G6 a copy that nobody signed is taken over only for a reason, which stays, and is never signed here`() throws {
        let shop = try shop()
        let run = try left(shop), copy = "sites/west/.dr/runs/\(run)"
        try put(forge(run, shop), at: copy, shop)
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        let before = try shop.fingerprint("sites")
        for words in [
            ["resume", run, "--yes"], ["resume", run], ["stop", run], ["pause", run], ["stop", run, "--undo", "--yes"],
            ["stop", run, "--undo"],
        ] {
            let refused = try shop.drrunbook(words)
            #expect(
                refused.status == 5 && refused.error.contains("nobody signed the head of run \(run) in west"), "\(words): \(refused.error)")
            #expect(refused.error.contains("--unsigned REASON"), "\(refused.error)")
        }
        #expect(try shop.drrunbook("resume", run, "--yes", "--unsigned", " ").status == 2)
        // A report of it is no reason to sign it either.
        #expect(try !shop.drrunbook("report", run, "--format", "json").output.contains("BEGIN SSH SIGNATURE"))
        #expect(try shop.fingerprint("sites") == before)
        let taken = try shop.drrunbook("resume", run, "--yes", "--unsigned", "the other host burnt")
        #expect(taken.status == 3 && (taken.output + taken.error).contains("nobody signed"), "\(taken.output)\(taken.error)")
        let resumed = try #require(try shop.drrunbook("show", run, "--json").lines.last { $0["kind"].string == "resumed" }?["payload"])
        #expect(
            resumed["unsigned"]["reason"].string == "the other host burnt" && resumed["unsigned"]["who"].string == resumed["who"].string)
        // Said once; what is done since is signed no more than what was before.
        #expect(try shop.drrunbook("approve", run, "go").status == 0)
        let end = try shop.drrunbook("resume", run, "--yes")
        #expect(end.status == 0, "\(end.output)\(end.error)")
        #expect(try NotedHead(shop.read("\(copy)/head"))?.signature == nil)
        let verified = try shop.drrunbook("verify", run)
        #expect(verified.output.contains("tail not anchored"), "\(verified.output)\(verified.error)")
        #expect(verified.error.contains("taken though nobody had signed them"), "\(verified.output)\(verified.error)")
        let report = try shop.drrunbook("report", run, "--format", "json").lines.first
        #expect(report?["record"]["signature"].string == nil)
        #expect(report?["follow_ups"].list?.contains { $0.string?.contains("the other host burnt") == true } == true)
        #expect(try shop.drrunbook("export", run, "-o", "a.run").status == 0)
        #expect(try shop.drrunbook("verify", "a.run").output.contains("NOT SIGNED"))
        // A host that kept what it saw itself vouches for that.
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let own = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        #expect(try shop.drrunbook("verify", own).output.contains("signed by here"))
    }

    @Test func `G6 a file that nobody signed is imported only for a reason, and is never signed here`() throws {
        let shop = try shop()
        let run = try left(shop)
        try shop.write("forged.run", forge(run, shop).text)
        #expect(try shop.drrunbook("export", run, "-o", "own.run").status == 0)
        try shop.write("bare.run", SQLiteJournal.openForReading(shop.file(".drrunbook/journal.sqlite")).archive(of: RunID(run)).text)
        let again = try shop.drrunbook("import", "bare.run")
        #expect(again.status == 0 && again.output.contains("was here already"), "\(again.output)\(again.error)")
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        // Where its copy stands at a cluster, that says more than any signature.
        try FileManager.default.removeItem(atPath: shop.file("sites/west/.dr/runs/\(run)"))
        let refused = try shop.drrunbook("import", "forged.run")
        #expect(refused.status == 5 && refused.error.contains("nobody signed the head of run \(run) in forged.run"), "\(refused.error)")
        #expect(try shop.drrunbook("runs").output.contains("nothing has been run"))
        #expect(try shop.drrunbook("import", "forged.run", "--unsigned", "from the old archive").status == 0)
        let report = try shop.drrunbook("report", run, "--format", "json").lines.first
        #expect(report?["record"]["signature"].string == nil)
        #expect(report?["follow_ups"].list?.contains { $0.string?.contains("from the old archive") == true } == true)
        #expect(try shop.drrunbook("show", run).output.contains("from the old archive"))
        #expect(try shop.drrunbook("verify", run).error.contains("from the old archive"))
        #expect(try shop.drrunbook("export", run, "-o", "b.run").status == 0)
        #expect(try shop.drrunbook("verify", "b.run").output.contains("NOT SIGNED"))
        // What was signed needs no reason.
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        #expect(try shop.drrunbook("import", "own.run").status == 0)
        #expect(try shop.drrunbook("report", run, "--format", "json").output.contains("BEGIN SSH SIGNATURE"))
    }

    @Test func `G8 a signing key that is missing, is none or is another's is told before anything is changed`() throws {
        let shop = try shop()
        let yaml = try shop.read("dr.yaml")
        let cases = [
            ("keyFile: keys/here", "keyFile: keys/nowhere", "signing.keyFile: there is no file"),
            (
                "    here: { sshKey: \"ssh-ed25519 ", "    here: { sshKey: \"nonsense ",
                "signing.hosts.here.sshKey: expected an ssh public key"
            ),
            ("  hosts:\n    here", "  host:\n    here", "did you mean \"hosts\"?"),
        ]
        for (old, new, expected) in cases {
            try shop.write("dr.yaml", yaml)
            try shop.replace("dr.yaml", old, new)
            let before = try shop.fingerprint("sites")
            let answer = try shop.drrunbook("run", "runbooks/protect.lua")
            #expect(answer.status == 2 && answer.error.contains(expected), "\(answer.error)")
            #expect(try shop.fingerprint("sites") == before)
        }
    }
}
