import DRModel
import DRObjectStores
import DRSupport
import Testing

@Suite struct SealedStoreTests {
    private let memory = MemoryStore()
    private let text = Array("the ledger of the shop, page 1, page 1, page 1".utf8)

    private func key(_ digit: String) throws -> SealingKey { try SealingKey(String(repeating: digit, count: 64), source: "test") }
    private func store(_ digits: String...) throws -> SealedObjectStore { try SealedObjectStore(memory, keys: digits.map(key)) }
    private func message(_ body: () async throws -> [UInt8]) async -> String {
        do {
            _ = try await body()
            return "nothing was wrong"
        } catch { return [.damaged, .keyMissing].contains((error as? DRError)?.code) ? "\(error)" : "another error: \(error)" }
    }

    @Test func `what is stored tells nothing, and the same content never looks the same`() async throws {
        let store = try store("a")
        for name in ["x/1", "x/2"] { #expect(try await store.put(name, text)) }
        let stored = memory.objects.withLock { $0 }
        #expect(stored["x/1"] != stored["x/2"])
        for bytes in stored.values { #expect(!String(decoding: bytes, as: UTF8.self).contains("ledger")) }
        #expect(try await store.list(prefix: "x/").map(\.size) == [ByteCount(text.count), ByteCount(text.count)])
    }

    @Test func `keys are rotated: the new one seals, the old one still opens`() async throws {
        #expect(try await store("a").put("old", text))
        #expect(try await store("b", "a").put("new", text))
        #expect(try await store("b", "a").get("old") == text)
        #expect(try await store("b").get("new") == text)
        let error = await message { try await store("b").get("old") }
        #expect(error.contains("object old of store memory is sealed with key \(try key("a").id), which is not here"))
        #expect(error.contains("keys here: \(try key("b").id)"))
        await #expect { try await store("b").get("old") } throws: { ($0 as? DRError)?.code == .keyMissing }
        let (old, new) = (try key("a").id, try key("b").id)
        #expect(try await store("b", "a").seal(of: "old") == .earlier(old))
        #expect(try await store("b", "a").seal(of: "new") == .current(new))
        #expect(try await store("b").seal(of: "old") == .missing(old))
    }

    @Test func `a changed, cut, exchanged or plain object is one clear error that names it`() async throws {
        let store = try store("a")
        #expect(try await store.put("one", text))
        #expect(try await store.put("two", text))
        let sealed = try #require(memory.objects.withLock { $0["one"] })
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            memory.objects.withLock { $0["one"] = changed }
            let error = await message { try await store.get("one") }
            #expect(error.contains("object one of store memory"), "byte \(index): \(error)")
        }
        for length in [0, 7, 51, sealed.count - 1] {
            memory.objects.withLock { $0["one"] = Array(sealed[..<length]) }
            #expect(await message { try await store.get("one") }.contains("object one"))
        }
        memory.objects.withLock { $0["one"] = $0["two"] }
        #expect(await message { try await store.get("one") }.contains("is another one's"))
        memory.objects.withLock { $0["one"] = text }
        #expect(await message { try await store.get("one") }.contains("is not encrypted, though the store is"))
    }

    @Test(arguments: ["", "abc", String(repeating: "g", count: 64), String(repeating: "a", count: 63), String(repeating: "a", count: 66)])
    func `what is no key is refused without being shown`(text: String) {
        #expect { try SealingKey(text, source: "DR_KEY") } throws: {
            ($0 as? DRError)?.code == .configuration && "\($0)".contains("DR_KEY is no key") && (text.count < 5 || !"\($0)".contains(text))
        }
        let key = try? self.key("c")
        #expect(!"\(key.map { "\($0) \(String(reflecting: $0))" } ?? "")".contains("cccc"))
    }
}
