import DRModel
import Testing

struct NameAndOrderTests {
    @Test(arguments: ["a", "0", "shop-db", "v1.apps", "ledger-e1-g3", String(repeating: "x", count: 253)])
    func `names are what Kubernetes allows`(text: String) throws {
        #expect(try ApplicationName(text).text == text)
    }

    @Test(arguments: [
        "", "-a", "a-", ".a", "a.", "a..b", "A", "a_b", "a/b", "ä", "a b", "a\n", "a\0", "..", String(repeating: "x", count: 254),
    ])
    func `G8 other names are refused`(text: String) {
        let error = #expect(throws: DRError.self) { try ApplicationName(text) }
        #expect(error?.code == .invalidInput)
        #expect(error?.hint?.contains("lower-case letters") == true)
    }

    private func application(_ name: ApplicationName, after: [ApplicationName] = []) -> Application {
        Application(name: name, namespaces: [name.text], after: after)
    }

    @Test func `applications go in waves`() throws {
        let all = [
            application("web", after: ["db", "cache"]), application("mail", after: ["elsewhere"]), application("db"),
            application("cache", after: ["db"]), application("app", after: ["db"]),
        ]
        let waves = try Application.waves(all).map { $0.map(\.name.text) }
        #expect(waves == [["db", "mail"], ["app", "cache"], ["web"]])
        #expect(try Application.waves([]).isEmpty)
    }

    @Test func `a cycle is named`() {
        let all = [application("a", after: ["b"]), application("b", after: ["c"]), application("c", after: ["b"]), application("d")]
        let error = #expect(throws: DRError.self) { try Application.waves(all) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("b -> c -> b") == true, "\(String(describing: error))")
        let alone = #expect(throws: DRError.self) { try Application.waves([application("a", after: ["a"])]) }
        #expect(alone?.message.contains("a -> a") == true)
    }

    @Test func `effects read as the grammar says`() {
        let key = ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-db", name: "pg")
        #expect(Effect(.scale, key, from: "0", to: "1", at: "west").text == "scale StatefulSet shop-db/pg 0->1 @west")
        #expect(
            Effect(.publish, kind: "RecoveryPoint", name: "ledger", to: "rp#1", at: "west").text
                == "publish RecoveryPoint ledger rp#1 @west")
        #expect(Effect(.create, ObjectKey(kind: "PersistentVolume", name: "d"), at: "west").text == "create PersistentVolume d @west")
    }

    @Test func `points get their symbols in the order in which they are met`() {
        let symbols = PointSymbols()
        #expect(symbols.symbol(for: "ledger-e1-g9", of: "ledger") == "rp#1")
        #expect(symbols.symbol(for: "ledger-e1-g2", of: "ledger") == "rp#2")
        #expect(symbols.symbol(for: "ledger-e1-g9", of: "ledger") == "rp#1")
        #expect(symbols.symbol(for: "ledger-e1-g9", of: "other") == "rp#1")
        let resumed = PointSymbols(symbols.unrecorded)
        #expect(resumed.symbol(for: "ledger-e1-g2", of: "ledger") == "rp#2")
    }

    @Test func `what a record holds of the symbols is not recorded again, and is all that a resumed run needs`() {
        let symbols = PointSymbols()
        let resumed = PointSymbols()
        func record() -> [String: [PointID]] {
            let table = symbols.unrecorded
            symbols.recorded(table)
            resumed.restore(table)
            return table
        }
        _ = symbols.symbol(for: "ledger-e1-g1", of: "ledger")
        _ = symbols.symbol(for: "web-e1-g1", of: "web")
        #expect(record() == ["ledger": ["ledger-e1-g1"], "web": ["web-e1-g1"]])
        _ = symbols.symbol(for: "ledger-e1-g1", of: "ledger")
        #expect(record() == [:])
        _ = symbols.symbol(for: "ledger-e1-g2", of: "ledger")
        let early = symbols.unrecorded
        _ = symbols.symbol(for: "ledger-e1-g3", of: "ledger")
        symbols.recorded(early)
        #expect(record() == ["ledger": ["ledger-e1-g1", "ledger-e1-g2", "ledger-e1-g3"]])
        #expect(resumed.symbol(for: "ledger-e1-g3", of: "ledger") == "rp#3")
        #expect(resumed.symbol(for: "web-e1-g1", of: "web") == "rp#1")
        #expect(resumed.symbol(for: "web-e1-g2", of: "web") == "rp#2")
    }

    @Test func `later epochs count before later generations`() {
        func point(_ epoch: Int64, _ generation: Int64) -> RecoveryPoint {
            RecoveryPoint(
                id: "p", application: "a", epoch: Epoch(epoch), generation: generation, source: "east",
                instant: Instant(nanosecondsSince1970: 0), consistency: .crash, volumes: [], manifests: ContentToken(""))
        }
        #expect(RecoveryPoint.isOlder(point(1, 9), point(2, 1)))
        #expect(RecoveryPoint.isOlder(point(2, 1), point(2, 2)))
        #expect(!RecoveryPoint.isOlder(point(2, 2), point(2, 2)))
    }

    @Test func `an error reads as place verb message and hint`() {
        let error = DRError(.fenced, "no", hint: "look", location: SourceLocation(file: "a.lua", line: 3)).inVerb("migrate")
        #expect(error.description == "a.lua:3: migrate: no\n  hint: look")
        #expect(error.at(SourceLocation(file: "b", line: 1)).location?.file == "a.lua")
        #expect(DRError(.locked, "").retryable && !DRError(.fenced, "").retryable)
    }
}
