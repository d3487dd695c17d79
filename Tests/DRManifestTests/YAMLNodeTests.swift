import DRManifest
import DRModel
import Testing

struct YAMLNodeTests {
    private func node(_ text: String) throws -> YAMLNode { try YAMLNode.parse(text, file: "dr.yaml") }

    private func failure(_ text: String) -> DRError? {
        #expect(throws: DRError.self) { try node(text) }
    }

    @Test func `every node knows its file line and column`() throws {
        let root = try node("# first\nclusters:\n  east: { directory: sites/east }\n  west:\n    directory: \"sites/west\"\n")
        #expect(root["clusters"]?["east"]?["directory"]?.location == SourceLocation(file: "dr.yaml", line: 3, column: 22))
        #expect(root["clusters"]?.entry("west")?.keyLocation.line == 4)
        #expect(root[["clusters", "west", "directory"]]?.scalar == "sites/west")
        #expect(root[["clusters", "west", "directory"]]?.isQuoted == true)
        #expect(root["clusters"]?.entries?.map(\.key) == ["east", "west"])
    }

    @Test func `scalars stay the text that was written`() throws {
        let root = try node("a: on\nb: 0644\nc: 22:22\nd: 1.10\ne: ~\nf:\ng: !!str 3\nh: 'null'\n")
        #expect(["a", "b", "c", "d"].map { root[$0]?.scalar } == ["on", "0644", "22:22", "1.10"])
        #expect(root["e"]?.isNull == true)
        #expect(root["f"]?.isNull == true)
        #expect(root["g"]?.isQuoted == true)
        #expect(root["h"]?.isNull == false)
    }

    @Test(arguments: [
        ("a: 1\nb: [1, 2\n", "dr.yaml:3", "did not find expected"),
        ("a: 1\n\tb: 2\n", "dr.yaml:2", "a tab"),
        ("a: b: c\n", "dr.yaml:1", "mapping values are not allowed"),
        ("a: 1\nb: 2\na: 3\n", "dr.yaml:1", "\"a\" stands twice"),
        ("a: 1\n\"a\": 3\n", "dr.yaml:1", "\"a\" stands twice"),
        ("a: 1\n---\nb: 1\n", "dr.yaml:3", "expected one document, found 2"),
        ("# nothing\n", "dr.yaml:1", "the file is empty"),
        ("a: *nobody\n", "dr.yaml:1", "undefined alias"),
        ("? [a, b]\n: 1\n", "dr.yaml:1", "a key is not a name"),
        ("%TAG ! x:\n---\na: 1\n", "dr.yaml:1", "directives are not supported"),
        ("a: \u{1}\n", "dr.yaml:1", "control characters"),
    ])
    func `G8 what is no YAML is named with file and line`(text: String, place: String, words: String) throws {
        let error = try #require(failure(text))
        #expect(error.code == .invalidInput)
        #expect(error.location?.description == place)
        #expect(error.message.contains(words), "\(error)")
    }

    @Test func `aliases and merge keys stand for what they name`() throws {
        let root = try node("base: &base { image: a, port: 1 }\nweb:\n  <<: *base\n  port: 2\nother: *base\n")
        #expect(root[["web", "image"]]?.scalar == "a")
        #expect(root[["web", "port"]]?.scalar == "2")
        #expect(root[["other", "image"]]?.scalar == "a")
    }

    @Test func `G7 an exponential document ends in an error and costs little`() throws {
        var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            laughs += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(try #require(failure(laughs)).message.contains("too many nodes"))
        #expect(try #require(failure(laughs + "? *a9\n: 1\n")).message.contains("keys that are not plain names"))
        #expect(try #require(failure(laughs + "*a9 : 1\n")).message.contains("keys that are not plain names"))
        #expect(try #require(failure(laughs + "{ [*a9] : 1 }\n")).code == .invalidInput)
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func `G7 deep nesting ends in an error`(opening: String) throws {
        #expect(failure(String(repeating: opening, count: 20_000))?.code == .invalidInput)
        #expect(failure(String(repeating: "[", count: 500) + String(repeating: "]", count: 500))?.code == .invalidInput)
    }

    @Test func `readers say what they expected and where`() throws {
        let root = try node("wait: 5 minutes\nsize: 10MB\ncount: \"3\"\nflag: yes\nname: Shop\nlist: a\nnone:\n")
        #expect(
            throws: DRError(
                .configuration, "wait: expected a duration such as 90s, 15m or 1h30m, found \"5 minutes\"", location: root["wait"]?.location
            )
        ) {
            try root["wait"]?.duration("wait")
        }
        #expect(throws: DRError.self) { try root["size"]?.size("size") }
        #expect(throws: DRError.self) { try root["count"]?.integer("count") }
        #expect(throws: DRError.self) { try root["flag"]?.bool("flag") }
        #expect(throws: DRError.self) { () throws(DRError) -> ClusterName? in try root["name"]?.name("name") }
        #expect(throws: DRError.self) { try root["list"]?.list("list") }
        #expect(throws: DRError.self) { try root["none"]?.string("none") }
    }

    @Test func `G8 unknown keys come with the nearest known one`() throws {
        let root = try node("objectStore:\n  vault: {}\nclusters: {}\nnonsense: 1\n")
        let errors = root.unknownKeys("", allowed: ["clusters", "objectStores", "pairs"])
        #expect(errors.map(\.message) == ["unknown key \"objectStore\" (did you mean \"objectStores\"?)", "unknown key \"nonsense\""])
        #expect(errors.first?.location?.line == 1)
    }

    @Test func `several documents are read in their order and empty ones left out`() throws {
        let nodes = try YAMLNode.parseAll("\u{FEFF}%YAML 1.1\n---\na: 1\n---\n# nothing\n--- {b: 2}\n...\nc: 3\n", file: "f")
        #expect(nodes.map { $0.entries?.first?.key } == ["a", "b", "c"])
        #expect(nodes.map(\.location.line) == [3, 6, 8])
    }
}
