internal import DRManifest
internal import DRModel
internal import DRSupport

extension Configuration {
    /// Reads and checks dr.yaml. Throws `ConfigurationError` with everything that is wrong in it, or DRError when there is none.
    public static func load(_ file: String = "dr.yaml", workingFolder: String? = nil) throws -> Configuration {
        let path = PathText.absolute(file, in: workingFolder ?? PathText.workingFolder)
        guard let text = try TextFile.read(path, shown: file) else {
            throw DRError(
                .configuration, "there is no \(file) here\(NearbyFile.hint(for: path))",
                hint: "`drrunbook init` writes one to begin with; `--config FILE` names another")
        }
        return try read(text, file: file, folder: PathText.folder(of: path))
    }

    /// The same, for what can do without: nil where there is no such file.
    public static func loadIfThere(_ file: String) throws -> Configuration? {
        TextFile.exists(PathText.absolute(file, in: PathText.workingFolder)) ? try load(file) : nil
    }

    /// Checks a configuration's text; paths in it begin from `folder`.
    package static func read(_ text: String, file: String, folder: String) throws -> Configuration {
        let document: YAMLNode
        do {
            document = try YAMLNode.parse(text, file: file)
        } catch {
            throw ConfigurationError([DRError(.configuration, error.message, hint: error.hint, location: error.location)])
        }
        let empty = Configuration(
            file: file, folder: folder, digest: Digest.hex(of: text), state: PathText.absolute(".drrunbook", in: folder))
        var reader = ConfigurationReader(empty)
        reader.readDocument(document)
        guard reader.problems.isEmpty else { throw ConfigurationError(reader.problems) }
        return reader.result
    }
}

/// Reads dr.yaml's sections one after the other and goes on after an error, so that one look shows them all.
struct ConfigurationReader {
    static let keys = [
        "engine", "state", "clusters", "objectStores", "applications", "pairs", "schedules", "limits", "allow", "approvals", "notify",
        "jobs", "signing",
    ]

    var result: Configuration
    var applications: [Application] = []
    var problems: [DRError] = []
    /// Names with the places where they were declared, for errors that concern two of them.
    var places: [String: SourceLocation] = [:]

    init(_ empty: Configuration) { result = empty }

    mutating func readDocument(_ document: YAMLNode) {
        guard document.entries != nil else {
            problems.append(document.mismatch(result.file, expected: "a map with the keys clusters, applications, pairs ..."))
            return
        }
        checkKeys(document, "", Self.keys)
        if let node = document["engine"] { readEngine(node) }
        if let node = document["state"], let state = text(node, "state") { result.state = PathText.absolute(state, in: result.folder) }
        members(document, "clusters") { $0.readCluster($1) }
        members(document, "objectStores") { $0.readObjectStore($1) }
        members(document, "applications") { $0.readApplication($1) }
        result.inventory.applications = applications
        members(document, "pairs") { $0.readPair($1) }
        members(document, "schedules") { $0.readSchedule($1) }
        if let node = document["limits"] { readLimits(node) }
        if let node = document["allow"] { readAllow(node) }
        if let node = document["approvals"] { readApprovals(node) }
        if let node = document["signing"] { readSigning(node) }
        members(document, "notify") { $0.readNotification($1) }
        members(document, "jobs") { $0.readJob($1) }
        checkNames(document)
        checkApplications(document)
        checkFolders(document)
    }

    private mutating func readEngine(_ node: YAMLNode) {
        guard let word = attempt({ () throws(DRError) in try node.choice("engine", of: EngineKind.allCases.map(\.rawValue)) }),
            let engine = EngineKind(rawValue: word)
        else { return }
        result.engine = engine
        if engine == .stork { refuse("engine: stork is not supported by this version", at: node, hint: "use `engine: embedded`") }
    }

    /// The members of an optional section; a section that is there but empty has none.
    private mutating func members(_ document: YAMLNode, _ section: String, _ read: (inout ConfigurationReader, Member) -> Void) {
        guard let node = document[section], !node.isNull else { return }
        guard let entries = attempt({ () throws(DRError) in try node.map(section) }) else { return }
        for entry in entries {
            let path = "\(section).\(entry.key)"
            places[path] = entry.keyLocation
            read(&self, Member(name: entry.key, path: path, location: entry.keyLocation, node: entry.value))
        }
    }

    /// A named member of a section.
    struct Member {
        let name: String
        let path: String
        let location: SourceLocation
        let node: YAMLNode
    }
}

extension ConfigurationReader {
    /// What `body` gives, or nil with its error noted.
    mutating func attempt<Result>(_ body: () throws(DRError) -> Result) -> Result? {
        do { return try body() } catch {
            problems.append(error)
            return nil
        }
    }

    mutating func refuse(_ message: String, at node: YAMLNode, hint: String? = nil) {
        problems.append(DRError(.configuration, message, hint: hint, location: node.location))
    }

    mutating func checkKeys(_ node: YAMLNode, _ path: String, _ known: [String]) {
        problems += node.unknownKeys(path, allowed: known)
    }

    /// The map of a member with only known keys; nil (noted) for anything else.
    mutating func map(_ member: Member, _ known: [String]) -> Bool {
        guard attempt({ () throws(DRError) in try member.node.map(member.path) }) != nil else { return false }
        checkKeys(member.node, member.path, known)
        return true
    }

    mutating func name<Of>(_ member: Member) -> Name<Of>? {
        do { return try Name<Of>(member.name) } catch {
            problems.append(DRError(.configuration, "\(member.path): \(error.message)", hint: error.hint, location: member.location))
            return nil
        }
    }

    mutating func text(_ node: YAMLNode, _ path: String) -> String? { attempt { () throws(DRError) in try node.string(path) } }

    mutating func required(_ member: Member, _ key: String, _ expected: String) -> YAMLNode? {
        if let node = member.node[key], !node.isNull { return node }
        problems.append(DRError(.configuration, "\(member.path): \(key) is missing: expected \(expected)", location: member.location))
        return nil
    }

    mutating func optional<Result>(
        _ member: Member, _ key: String, _ read: (YAMLNode, String) throws(DRError) -> Result
    ) -> Result? {
        guard let node = member.node[key] else { return nil }
        return attempt { () throws(DRError) in try read(node, "\(member.path).\(key)") }
    }
}
