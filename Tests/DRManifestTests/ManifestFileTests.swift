import DRManifest
import DRModel
import Testing

struct ManifestFileTests {
    private static func document(_ name: String, _ rest: String = "") -> String {
        "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: \(name)}  # \(name)\n\(rest)"
    }
    private static func key(_ name: String) -> ObjectKey { ObjectKey(group: "apps", kind: "Deployment", namespace: "default", name: name) }

    private let text =
        "# license\n\n" + document("a") + "--- # second\n" + document("b", "spec: {replicas: 2, mode: 0644}\n\n") + "---\n# empty\n---\n"
        + document("c", "note: |\n  --- not a separator\n   on\n")

    @Test func `one document is replaced and every other byte stays`() throws {
        let file = try ManifestFile(text, file: "all.yaml")
        #expect(file.manifests.map(\.key.name) == ["a", "b", "c"])
        #expect(file.manifest(Self.key("b"))?.object.location?.line == 7)
        let scaled = try #require(file.manifest(Self.key("b"))).scaled(to: 0)
        #expect(try file.replacing(Self.key("b"), with: scaled.text).text == text.replacing("replicas: 2", with: "replicas: 0"))
        #expect(try file.replacing(Self.key("c"), with: Self.document("c")).text.hasSuffix("---\n# empty\n---\n" + Self.document("c")))
    }

    @Test func `one document is deleted with its separator`() throws {
        let file = try ManifestFile(text, file: "all.yaml")
        let without = try file.changing([Self.key("b"): nil])
        #expect(without.text == text.replacing("--- # second\n" + Self.document("b", "spec: {replicas: 2, mode: 0644}\n\n"), with: ""))
        #expect(try without.changing([Self.key("c"): nil]).manifests.map(\.key.name) == ["a"])
        let last = try ManifestFile(Self.document("a"), file: "a").changing([Self.key("a"): nil])
        #expect(last.text.isEmpty && last.isBlank)
    }

    @Test func `a document is appended behind the others`() throws {
        let file = try ManifestFile(Self.document("a").dropLast().description, file: "a")
        #expect(try file.changing([Self.key("b"): Self.document("b")]).text == Self.document("a") + "---\n" + Self.document("b"))
        #expect(try ManifestFile("", file: "e").changing([Self.key("b"): Self.document("b")]).text == Self.document("b"))
        #expect(throws: DRError.self) { try file.changing([Self.key("b"): Self.document("a")]) }
        let open = try ManifestFile(String(text.dropLast()), file: "a")
        #expect(throws: DRError.self, "c's value would gain a line break") { try open.changing([Self.key("d"): Self.document("d")]) }
    }

    @Test func `several documents change at once`() throws {
        let file = try ManifestFile(text, file: "all.yaml")
        let changed = try file.changing([Self.key("a"): nil, Self.key("c"): Self.document("c"), Self.key("d"): Self.document("d")])
        #expect(changed.manifests.map(\.key.name) == ["b", "c", "d"])
        #expect(
            changed.text == "--- # second\n" + Self.document("b", "spec: {replicas: 2, mode: 0644}\n\n") + "---\n# empty\n---\n"
                + Self.document("c") + "---\n" + Self.document("d"))
        #expect(try file.changing([Self.key("x"): nil]).text == text)
    }

    @Test func `a replacement that would reach its neighbours is refused`() throws {
        let file = try ManifestFile(text, file: "all.yaml")
        #expect(throws: DRError.self) { try file.replacing(Self.key("b"), with: Self.document("b") + "---\n" + Self.document("d")) }
        #expect(throws: DRError.self) { try file.replacing(Self.key("b"), with: "") }
        #expect(throws: DRError.self) { try file.replacing(Self.key("x"), with: Self.document("x")) }
    }

    @Test func `without a last line break the end stays as it is`() throws {
        let open = String((Self.document("a") + "---\n" + Self.document("b")).dropLast())
        let file = try ManifestFile(open, file: "all.yaml")
        let scaled = try #require(file.manifest(Self.key("b"))).scaled(to: 4)
        #expect(try file.replacing(Self.key("b"), with: scaled.text).text == open + "\nspec:\n  replicas: 4")
    }

    @Test func `a line break that a text's value depends on is not added`() throws {
        let file = try ManifestFile(String(text.dropLast()), file: "all.yaml")
        let scaled = try #require(file.manifest(Self.key("c"))).scaled(to: 4)
        #expect(scaled.scalar(at: ["note"]) == file.manifest(Self.key("c"))?.scalar(at: ["note"]))
        #expect(scaled.text.hasSuffix("   on"))
    }

    @Test(arguments: 0..<40)
    func `random edits keep every other byte`(seed: UInt64) throws {
        var random = Numbers(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        let breaks = random.pick(["\n", "\r\n"])
        var documents: [String] = []
        let count = 1 + Int(random.next() % 4)
        for index in 0..<count { documents.append(Self.anyDocument("d\(index)", &random)) }
        let head = random.pick(["", "---\n", "# über\n---\n", "\u{FEFF}", "%YAML 1.1\n---\n"])
        let separator = random.pick(["---\n", "--- # x\n", "...\n---\n", "---  \n"])
        let text = (head + documents.joined(separator: separator)).replacing("\n", with: breaks)
        var file = try ManifestFile(text, file: "f.yaml")
        #expect(file.manifests.count == count)
        for _ in 0..<6 {
            let manifest = random.pick(file.manifests)
            let before = Array(file.text.utf8)
            let value = String(random.next() % 100)
            let old = manifest.root[["spec", "replicas"]] ?? manifest.root["spec"]
            let edited = try manifest.scaled(to: Int(value) ?? 0)
            let next = try file.replacing(manifest.key, with: edited.text)
            let after = Array(next.text.utf8)
            #expect(next.manifest(manifest.key)?.replicas == Int(value))
            // What is gone is the old scalar at most; what is new is the scalar, or one inserted key.
            let prefix = zip(before, after).prefix { $0 == $1 }.count
            let suffix = zip(before.dropFirst(prefix).reversed(), after.dropFirst(prefix).reversed()).prefix { $0 == $1 }.count
            #expect(before.count - prefix - suffix <= (old?.scalar?.utf8.count ?? 0))
            let added = String(decoding: after[prefix..<after.count - suffix], as: UTF8.self)
            let allowed = Set("0123456789replicaspec: ,{}\r\n".unicodeScalars)
            #expect(added.unicodeScalars.allSatisfy { allowed.contains($0) }, "\(added.debugDescription)")
            file = next
        }
    }

    private static func anyDocument(_ name: String, _ random: inout Numbers) -> String {
        let spec = random.pick([
            "spec:\n  replicas: 3 # three\n  x: on\n", "spec: {x: 0644, replicas: 12}\n", "spec:\n    # lead\n    x: 22:22\n", "",
            "spec:\n", "spec: {}\n", "spec:\n  x: |\n    --- replicas: 3\n  y: \"replicas: 4\"\n", "spec: ~\n",
        ])
        let tail = random.pick(["", "data:\n  a: |+\n    x\n\n", "# end\n", "list:\n- a\n-   b: &r 1\n    c: *r\n", "ü: \"ß → ∞\"\n"])
        return "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: \(name)\n" + spec + tail
    }
}

/// Repeatable numbers: xorshift.
struct Numbers {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func pick<T>(_ items: [T]) -> T { items[Int(next() % UInt64(items.count))] }
}
