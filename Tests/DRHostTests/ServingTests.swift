import DRHost
import DRModel
import DRSupport
import Foundation
import Testing

/// The serving loop, and what clusters keep of commits when those who made them are done.
@Suite(.waitsForProcesses) struct ServingTests {
    /// Runs whose commits a site still answers for.
    private func kept(_ shop: ShopFixture, _ site: String) throws -> [String] {
        let folder = shop.file("sites/\(site)/.dr/keys")
        return FileManager.default.fileExists(atPath: folder) ? try FileManager.default.contentsOfDirectory(atPath: folder).sorted() : []
    }

    @Test func `Serving copies what is due, reads a copy that is due, heals it, and leaves no keys`() async throws {
        let shop = try ShopFixture()
        let (host, events) = (try shop.host(), Lock<[String]>([]))
        defer { host.close() }
        // Until both applications are copied.
        try await host.serve(until: { events.withLock { $0.contains { $0.hasPrefix("copied") } } }) { event in
            if case .copied(let schedule, let copies, _) = event {
                events.withLock { $0.append("copied \(schedule) \(copies.count { $0.error == nil })") }
            }
        }
        let copied = events.withLock { $0 }
        #expect(copied.count == 1 && copied.first?.hasSuffix(" 2") == true, "\(copied)")
        #expect(try kept(shop, "east").isEmpty && kept(shop, "west").isEmpty)

        let packs = shop.file("sites/west/.dr/copies/ledger/packs")
        let pack = packs + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: packs).first))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: pack))
        bytes[100] ^= 1
        try bytes.write(to: URL(fileURLWithPath: pack))
        events.withLock { $0 = [] }
        try await host.serve(until: { events.withLock { !$0.isEmpty } }) { event in
            guard case .scrubbed(let application, let cluster, let scrubbed, _) = event else { return }
            events.withLock {
                $0.append("\(application) \(cluster) \(scrubbed.healed.count) \(scrubbed.lost.count) \(scrubbed.next == nil)")
            }
        }
        #expect(events.withLock { $0 } == ["ledger west 1 0 true"])
        #expect(try kept(shop, "east").isEmpty && kept(shop, "west").isEmpty)
    }

    @Test func `A copy that is being written keeps no other from being read`() async throws {
        let shop = try ShopFixture()
        let (host, events) = (try shop.host(), Lock<[String]>([]))
        defer { host.close() }
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        // As whoever receives a point holds it.
        let file = shop.file("sites/west/.dr/copies/ledger/lock")
        let held = open(file, O_RDWR | O_CREAT, 0o644)
        try #require(held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0)
        defer { close(held) }
        try await host.serve(until: { events.withLock { !$0.isEmpty } }) { event in
            guard case .scrubbed(let application, let cluster, _, _) = event else { return }
            events.withLock { $0.append("\(application) \(cluster)") }
        }
        #expect(events.withLock { $0 } == ["storefront west"])
    }

    @Test func `A copy that cannot be read is told of, and keeps no other from being read`() async throws {
        let shop = try ShopFixture()
        let (host, events) = (try shop.host(), Lock<[String]>([]))
        defer { host.close() }
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let lock = shop.file("sites/west/.dr/copies/ledger/lock")
        try FileManager.default.removeItem(atPath: lock)
        try FileManager.default.createDirectory(atPath: lock, withIntermediateDirectories: false)
        try await host.serve(until: { events.withLock { $0.count } >= 2 }) { event in
            switch event {
            case .scrubbed(let application, let cluster, _, _): events.withLock { $0.append("\(application) \(cluster)") }
            case .failed(let what, let error): events.withLock { $0.append("\(what): \(error.code.rawValue)") }
            default: break
            }
        }
        #expect(events.withLock { $0.sorted() } == ["scrub of ledger at west: io", "storefront west"])
    }

    @Test func `drrunbook scrub reads all at once, heals, and its status says whether damage is left`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        func harm(_ root: String) throws {
            let packs = shop.file("\(root)/ledger/packs")
            let pack = packs + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: packs).min()))
            var bytes = try Data(contentsOf: URL(fileURLWithPath: pack))
            bytes[100] ^= 1
            try bytes.write(to: URL(fileURLWithPath: pack))
        }
        let sound = try shop.drrunbook("scrub")
        #expect(sound.status == 0 && sound.output.contains("all sound"), "\(sound.output)\(sound.error)")
        try harm("sites/west/.dr/copies")
        let healed = try shop.drrunbook("scrub", "ledger")
        #expect(healed.status == 0 && healed.error.contains("was damaged, and is healed"), "\(healed.output)\(healed.error)")
        #expect(!healed.output.contains("storefront"))
        for root in ["sites/west/.dr/copies", "objects"] { try harm(root) }
        let left = try shop.drrunbook("scrub", "--json")
        #expect(left.status == 6, "\(left.output)\(left.error)")
        let found = try #require(left.lines.first { $0["type"].string == "scrubbed" && $0["application"].string == "ledger" })
        #expect(found["lost"].list?.count == 1 && found["complete"].bool == true)
        #expect(try shop.drrunbook("scrub", "leger").status == 2)
    }

    @Test func `G2 keys of a run stay while it waits`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("apply", "--yes").status == 0)
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        #expect(try kept(shop, "east").isEmpty && kept(shop, "west").isEmpty)
        try shop.write(
            "runbooks/hold.lua",
            """
            return dr.runbook {
              name = "hold",
              params = { opens = { type = "string", default = "2001-01-01T00:00:00Z" } },
              run = function(p)
                dr.suspend_schedule { name = "shop" }
                dr.window { opens = p.opens, closes = "2250-01-01T00:00:00Z" }
                dr.resume_schedule { name = "shop" }
              end,
            }

            """)
        let waiting = try shop.drrunbook("run", "runbooks/hold.lua", "-p", "opens=2200-01-01T00:00:00Z", "--json")
        #expect(waiting.status == 3, "\(waiting.output)\(waiting.error)")
        let run = try #require(waiting.lines.compactMap { $0["run"].string }.first)
        #expect(try kept(shop, "west") == [run])
    }

    @Test(arguments: [true, false]) func `G2 a run taken up while a site is silent that may hold an older record of it keeps its keys`(
        _ isSilent: Bool
    ) throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("apply", "--yes").status == 0)
        try shop.write(
            "runbooks/step.lua",
            """
            return dr.runbook {
              name = "step",
              run = function()
                dr.suspend_schedule { name = "shop" }
                dr.resume_schedule { name = "shop" }
              end,
            }

            """)
        // Twice it is passed in the plan before the run.
        let killed = try shop.drrunbook(
            "run", "runbooks/step.lua", environment: ["DRRUNBOOK_FAILPOINT": "engine.schedule.suspended:3"])
        #expect(killed.status == 137, "\(killed.output)\(killed.error)")
        let run = try #require(try kept(shop, "west").first)
        if isSilent { try FileManager.default.moveItem(atPath: shop.file("sites/east"), toPath: shop.file("away")) }
        let ended = try shop.drrunbook("resume", run, "--yes")
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
        #expect(try kept(shop, "west") == (isSilent ? [run] : []))
    }
}
