internal import DRManifest
internal import DRModel
internal import DRReplication
internal import DRSimulation
internal import DRSupport

/// A world as tests describe it: dr.yaml's sections, and what lies at the sites. See docs/formats.md.
struct Fixture: Sendable {
    struct Site: Sendable {
        var facts: ClusterFacts?
        /// Texts of manifests with the file each stands in.
        var resources: [(file: String, text: String)] = []
        var volumes: [(name: VolumeName, text: String)] = []
        /// Nothing is made up for it.
        var isExplicit = false
    }

    var configuration: Configuration
    var sites: [ClusterName: Site] = [:]
    var now = Self.usualTime
    /// Pairs and schedules are set up, as `drrunbook apply` does it.
    var isApplied = true
    /// Where all applications were moved before; nil = nowhere.
    var active: ClusterName?
    /// How long ago every application was copied; nil = never.
    var copied: Duration?

    static let usualTime = Instant(nanosecondsSince1970: 1_772_330_400_000_000_000)
    static let keys = ["config", "now", "applied", "copied", "active"]
    static let sections = ["clusters", "objectStores", "applications", "pairs", "schedules", "limits", "allow", "approvals", "notify"]

    /// dr.yaml's world with made-up contents.
    init(_ configuration: Configuration) {
        self.configuration = configuration
        self.configuration.forget()
    }

    /// Reads a fixture's file. `base`: the configuration whose sections count where the fixture has none. `hint`: where its path begins.
    static func load(_ path: String, shown: String, base: Configuration?, hint: String? = nil) throws -> Fixture {
        guard let text = try TextFile.read(path, shown: shown) else {
            throw DRError(.invalidInput, "there is no fixture \(shown)\(NearbyFile.hint(for: path))", hint: hint)
        }
        let node: YAMLNode
        do { node = try YAMLNode.parse(text, file: shown) } catch {
            throw DRError(.configuration, error.message, hint: error.hint, location: error.location)
        }
        return try FixtureReader(node, file: shown, folder: PathText.folder(of: path), base: base).fixture()
    }

    /// The same as a table of a test. Errors have a place only where they lie in another file.
    static func read(_ value: Value, folder: String, base: Configuration?) throws -> Fixture {
        let shown = "the world"
        do {
            return try FixtureReader(try YAMLNode.parse(value.json(.plain), file: shown), file: shown, folder: folder, base: base).fixture()
        } catch let error as DRError where error.location?.file == shown {
            throw DRError(error.code, error.message, hint: error.hint)
        }
    }
}

extension Configuration {
    /// Nothing of the host's own counts in a simulation: neither its folders nor the keys with which people sign.
    fileprivate mutating func forget() {
        state = "/simulated/state"
        approvals.people = approvals.people.map { ApprovalRules.Person(name: $0.name, key: nil) }
    }
}

/// Reads a fixture: what dr.yaml may say is read by the reader of dr.yaml.
struct FixtureReader {
    let node: YAMLNode
    let file: String
    let folder: String
    let base: Configuration?

    init(_ node: YAMLNode, file: String, folder: String, base: Configuration?) {
        self.node = node
        self.file = file
        self.folder = folder
        self.base = base
    }

    func fixture() throws -> Fixture {
        guard node.entries != nil else { throw node.mismatch(file, expected: "a map with the keys clusters, applications, pairs ...") }
        let problems = node.unknownKeys("", allowed: Fixture.keys + Fixture.sections)
        if let first = problems.first { throw first }
        var fixture = Fixture(try configuration())
        if let text = node["now"] {
            let expected = "a time such as 2026-03-01T02:00:00Z"
            guard let now = try? Instant(rfc3339: try text.string("now", expected: expected)) else {
                throw text.mismatch("now", expected: expected)
            }
            fixture.now = now
        }
        if let applied = node["applied"] { fixture.isApplied = try applied.bool("applied") }
        if let copied = node["copied"] { fixture.copied = try copied.duration("copied") }
        if let active = node["active"] { fixture.active = try active.name("active") }
        for entry in node["clusters"]?.entries ?? [] {
            fixture.sites[try ClusterName(entry.key)] = try site(entry.value, "clusters.\(entry.key)")
        }
        return fixture
    }

    // The fixture's sections over those of the configuration it names, or that counts where the tests are run.
    private func configuration() throws -> Configuration {
        var document = node.emptyMap
        var origin = base
        if let path = node["config"] {
            let shown = try path.string("config", expected: "the path of a dr.yaml, from the folder of the fixture")
            origin = try Configuration.load(PathText.absolute(shown, in: folder))
        }
        if let origin, let text = try TextFile.read(PathText.absolute(origin.file, in: PathText.workingFolder), shown: origin.file) {
            document = try YAMLNode.parse(text, file: origin.file)
        }
        for section in Fixture.sections {
            guard let own = node[section] else { continue }
            switch section {
            case "clusters":
                let known = document["clusters"] ?? node.emptyMap
                let places = (own.entries ?? []).map { (key: $0.key, value: place("sites/\($0.key)", own)) }
                document = document.setting([(key: section, value: known.setting(places))])
            case "objectStores":
                let names = own.entries?.map(\.key) ?? own.items?.compactMap(\.scalar) ?? []
                document = document.setting([
                    (key: section, value: own.emptyMap.setting(names.map { (key: $0, value: place("stores/\($0)", own)) }))
                ])
            default: document = document.setting([(key: section, value: own)])
            }
        }
        document = document.setting([(key: "state", value: node.text("/simulated/state"))])
        let shown = origin.map(\.file) ?? file
        let empty = Configuration(
            file: shown, folder: origin?.folder ?? folder, digest: Digest.hex(of: file), state: "/simulated/state")
        var reader = ConfigurationReader(empty)
        reader.readDocument(document)
        guard reader.problems.isEmpty else {
            let first = ConfigurationError(reader.problems).problems[0]
            throw DRError(.configuration, first.message, hint: first.hint, location: first.location)
        }
        try checkSites(declared: origin?.inventory.clusters ?? [], pairs: reader.result.inventory.pairs)
        return reader.result
    }

    // A site of its own that no pair knows would change nothing: a slip.
    private func checkSites(declared: [ClusterName], pairs: [ClusterPair]) throws {
        let known = Set(declared + pairs.flatMap { [$0.source, $0.destination] }).map(\.text)
        for entry in node["clusters"]?.entries ?? [] where !declared.isEmpty && !known.contains(entry.key) {
            throw DRError(
                .configuration, "clusters: there is no cluster \"\(entry.key)\"\(Spelling.hint(for: entry.key, in: known))",
                hint: "declared: \(known.sorted().joined(separator: ", ")); a further one needs a pair", location: entry.value.location)
        }
    }

    private func place(_ path: String, _ node: YAMLNode) -> YAMLNode {
        node.emptyMap.setting([(key: "directory", value: node.text("/simulated/\(path)"))])
    }

    private func site(_ node: YAMLNode, _ path: String) throws -> Fixture.Site {
        var site = Fixture.Site()
        if node.isNull { return site }
        let known = ["platform", "version", "objectSize", "secretsProvider", "free", "resources", "volumes"]
        guard node.entries != nil else { throw node.mismatch(path, expected: "a map with the keys resources, volumes, version ...") }
        if let first = node.unknownKeys(path, allowed: known).first { throw first }
        var facts = MemoryCluster.usualFacts
        if let node = node["platform"] { facts.platform = try node.string("\(path).platform") }
        if let node = node["version"] { facts.version = try node.string("\(path).version") }
        if let node = node["secretsProvider"] { facts.secretsProvider = try node.string("\(path).secretsProvider") }
        if let node = node["objectSize"] { facts.objectSize = try node.size("\(path).objectSize") }
        if let node = node["free"] { facts.free = try node.size("\(path).free") }
        site.facts = facts
        if let resources = node["resources"] {
            site.isExplicit = true
            site.resources = try texts(resources, "\(path).resources")
        }
        for entry in try node["volumes"]?.map("\(path).volumes") ?? [] {
            site.volumes.append((try VolumeName(entry.key), try entry.value.string("\(path).volumes.\(entry.key)", expected: "its text")))
        }
        return site
    }

    // Manifests as they stand, or the files and folders they stand in.
    private func texts(_ node: YAMLNode, _ path: String) throws -> [(file: String, text: String)] {
        if let text = node.scalar, text.contains("\n") { return [(file: file, text: text)] }
        let names = try node.scalar.map { [$0] } ?? node.strings(path)
        return try names.flatMap { try manifests(PathText.absolute($0, in: folder), shown: $0, node) }
    }

    private func manifests(_ path: String, shown: String, _ node: YAMLNode) throws -> [(file: String, text: String)] {
        let io = SystemStoreIO()
        do {
            if try io.facts(StorePath(path))?.kind == .folder {
                return try io.list(StorePath(path)).map { String(decoding: $0, as: UTF8.self) }.sorted().flatMap { name in
                    let inner = "\(path)/\(name)"
                    guard try io.facts(StorePath(inner))?.kind == .folder || name.hasSuffix(".yaml") || name.hasSuffix(".yml") else {
                        return [(file: String, text: String)]()
                    }
                    return try manifests(inner, shown: "\(shown)/\(name)", node)
                }
            }
        } catch let failure as IOFailure {
            throw DRError(.io, "\(shown) cannot be read: \(failure.reason)", location: node.location)
        }
        guard let text = try TextFile.read(path, shown: shown) else {
            throw DRError(
                .configuration, "there is no \(shown)\(NearbyFile.hint(for: path))",
                hint: "paths begin at the folder of the fixture; manifests may also stand here as a text",
                location: node.location)
        }
        return [(file: shown, text: text)]
    }
}
