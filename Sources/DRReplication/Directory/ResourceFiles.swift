internal import DRManifest
package import DRModel
internal import DRSupport

/// The manifests of an embedded cluster, in whatever files their authors keep them.
struct ResourceFiles: Sendable {
    /// By path relative to the cluster's folder.
    private let files: [String: ManifestFile]
    private let places: [ObjectKey: String]
    /// Namespaces among what is in them.
    private let byNamespace: [String: [Manifest]]
    private let byKind: [String: [Manifest]]
    let shared: SharedObjects
    private let sole = SoleIndex()

    private static let bound = 100_000
    private static let depth = 20

    init(files: [String: ManifestFile]) throws(DRError) {
        var places: [ObjectKey: String] = [:]
        places.reserveCapacity(files.count)
        var byNamespace: [String: [Manifest]] = [:]
        var byKind: [String: [Manifest]] = [:]
        for path in files.keys.sorted() {
            for manifest in files[path]?.manifests ?? [] {
                if let namespace = manifest.key.place { byNamespace[namespace, default: []].append(manifest) }
                byKind[manifest.key.kind, default: []].append(manifest)
                if let other = places.updateValue(path, forKey: manifest.key) {
                    let first = files[other]?.manifest(manifest.key)?.root.location
                    throw DRError(
                        .invalidInput, "\(manifest.key) stands twice, here and at \(first?.description ?? other)",
                        hint: "remove one of the two", location: manifest.root.location)
                }
            }
        }
        self.files = files
        self.places = places
        self.byNamespace = byNamespace
        self.byKind = byKind
        shared = SharedObjects(ApplicationSelection.clusterKinds.lazy.flatMap { byKind[$0] ?? [] })
    }

    /// Reads all of `resources/`, as it will be when `pending` is carried out. Unchanged files come from the cache.
    static func read(in folder: ClusterFolder, pending: Intent?, cache: ManifestCache) throws -> ResourceFiles {
        var found: [ManifestCache.Entry] = []
        try walk("resources", in: folder, depth: 0) { path, facts in found.append(try cache.entry(path, facts, in: folder)) }
        let changes = (pending?.files ?? []).filter { $0.path.hasPrefix("resources/") }
        if changes.isEmpty { return try cache.whole(of: found) }
        var files = Dictionary(uniqueKeysWithValues: found.map { ($0.path, $0.file) })
        for change in changes {
            files[change.path] = try change.text.map { text throws(DRError) in try ManifestFile(text, file: folder.shown(change.path)) }
        }
        return try ResourceFiles(files: files)
    }

    private static func walk(_ path: String, in folder: ClusterFolder, depth: Int, _ visit: (String, FileFacts) throws -> Void) throws {
        guard depth <= Self.depth else {
            throw DRError(.limitExceeded, "\(folder.shown(path)) is nested more than \(Self.depth) folders deep")
        }
        let names = try folder.names(in: folder[path])
        guard names.count <= bound else {
            throw DRError(.limitExceeded, "\(folder.shown(path)) holds \(names.count) files", hint: "at most \(bound) are supported")
        }
        for name in names where !name.hasPrefix(".") {
            let inner = "\(path)/\(name)"
            guard let facts = try folder.io.facts(folder[inner]) else { continue }
            switch facts.kind {
            case .folder: try walk(inner, in: folder, depth: depth + 1, visit)
            case .file where name.hasSuffix(".yaml") || name.hasSuffix(".yml"): try visit(inner, facts)
            case .symlink:
                throw DRError(
                    .invalidInput, "\(folder.shown(inner)) is a symbolic link", hint: "put the manifests themselves below resources/")
            default: break
            }
        }
    }

    // MARK: Reading

    func manifests(in namespaces: some Sequence<String>) -> [Manifest] { Set(namespaces).flatMap { byNamespace[$0] ?? [] } }

    /// In key order.
    func objects(_ query: ObjectQuery) -> [ManifestObject] {
        switch query {
        case .keys(let keys): return keys.sorted().compactMap { manifest($0)?.object }
        case .kinds(let kinds): return kinds.flatMap { byKind[$0] ?? [] }.map(\.object).sorted { $0.key < $1.key }
        case .having(let things):
            let holders = sole.holders(of: things) { Manifest.soleKinds.flatMap { byKind[$0] ?? [] } }
            return holders.map(\.object).sorted { $0.key < $1.key }
        }
    }

    /// Was it made of this reading?
    func holds(_ file: ManifestFile, at path: String) -> Bool { files[path]?.text == file.text }

    func file(of key: ObjectKey) -> String? { places[key] }

    func manifest(_ key: ObjectKey) -> Manifest? { places[key].flatMap { files[$0]?.manifest(key) } }

    // MARK: Changing

    /// A file whose text changes; nil = removed.
    struct Edit {
        let path: String
        let text: String?
        let replaces: String?
        let documents: [Intent.DocumentChange]
    }

    /// The files that change when objects get new texts or, where the text is nil, go: in the file that holds them, or in a new one of their own.
    func edits(_ changes: [Intent.DocumentChange]) throws(DRError) -> [Edit] {
        var byPath: [String: [ObjectKey: String?]] = [:]
        for change in changes {
            let now = manifest(change.key)?.text
            if let text = change.text { try requireOne(change.key, text) }
            let path = places[change.key] ?? free(for: change.key, besides: byPath)
            // The last word on an object counts, also when it is what stands there already.
            if now == change.text {
                byPath[path]?[change.key] = nil
            } else {
                byPath[path, default: [:]].updateValue(change.text, forKey: change.key)
            }
        }
        var edits: [Edit] = []
        for (path, texts) in byPath.sorted(by: { $0.key < $1.key }) where !texts.isEmpty {
            let file = files[path]
            let changed = if let file { try file.changing(texts) } else { try ManifestFile("", file: path).changing(texts) }
            let documents = texts.sorted { $0.key < $1.key }.map { Intent.DocumentChange(key: $0.key, text: $0.value) }
            edits.append(Edit(path: path, text: changed.isBlank ? nil : changed.text, replaces: file?.text, documents: documents))
        }
        return edits
    }

    private func requireOne(_ key: ObjectKey, _ text: String) throws(DRError) {
        let manifests = try Manifest.parse(text, file: key.description)
        guard manifests.count == 1, manifests.first?.key == key, manifests.first?.text == text else {
            throw DRError(.invalidInput, "the manifest of \(key) holds something else", hint: "expected one document of that object alone")
        }
    }

    /// `resources/<namespace or _cluster>/<kind>-<name>.yaml`, or a longer name where another object has that one.
    private func free(for key: ObjectKey, besides taken: [String: [ObjectKey: String?]]) -> String {
        let folder = "resources/\(key.namespace ?? "_cluster")"
        let plain = "\(key.kind.lowercased())-\(key.name)"
        let path = "\(folder)/\(plain).yaml"
        let isOurs = files[path] == nil && (taken[path] == nil || taken[path]?.keys.contains(key) == true)
        if plain.utf8.count <= 200, isOurs { return path }
        let digest = Digest.hex(of: "\(key.group)/\(key.kind)/\(key.namespace ?? "")/\(key.name)").prefix(12)
        return "\(folder)/\(String(plain.prefix(180)))-\(digest).yaml"
    }

    /// The same document changes made to a file that somebody has edited in the meantime; nil = nothing is left of it.
    static func applying(_ changes: [Intent.DocumentChange], to text: String, file: String) throws(DRError) -> String? {
        var texts: [ObjectKey: String?] = [:]
        for change in changes { texts.updateValue(change.text, forKey: change.key) }
        let changed = try ManifestFile(text, file: file).changing(texts)
        return changed.isBlank ? nil : changed.text
    }
}

extension ObjectKey {
    /// The namespace it is in, or that it is; nil for what belongs to the whole cluster.
    package var place: String? { namespace ?? (kind == "Namespace" ? name : nil) }
}
