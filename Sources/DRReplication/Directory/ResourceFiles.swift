internal import DRManifest
internal import DRModel
internal import DRSupport

/// The manifests of an embedded cluster, in whatever files their authors keep them.
struct ResourceFiles: Sendable {
    /// By path relative to the cluster's folder.
    private(set) var files: [String: ManifestFile]
    private var places: [ObjectKey: String] = [:]

    private static let bound = 100_000
    private static let depth = 20

    private init(files: [String: ManifestFile]) throws(DRError) {
        self.files = files
        for path in files.keys.sorted() {
            for manifest in files[path]?.manifests ?? [] {
                if let other = places.updateValue(path, forKey: manifest.key) {
                    let first = files[other]?.manifest(manifest.key)?.root.location
                    throw DRError(
                        .invalidInput, "\(manifest.key) stands twice, here and at \(first?.description ?? other)",
                        hint: "remove one of the two", location: manifest.root.location)
                }
            }
        }
    }

    /// Reads all of `resources/`, as it will be when `pending` is carried out. Unchanged files come from the cache.
    init(in folder: ClusterFolder, pending: Intent?, cache: ManifestCache) throws {
        var files: [String: ManifestFile] = [:]
        try Self.walk("resources", in: folder, depth: 0) { path in
            files[path] = try cache.file(path, in: folder)
        }
        for change in pending?.files ?? [] where change.path.hasPrefix("resources/") {
            files[change.path] = try change.text.map { text throws(DRError) in try ManifestFile(text, file: folder.shown(change.path)) }
        }
        try self.init(files: files)
    }

    private static func walk(_ path: String, in folder: ClusterFolder, depth: Int, _ visit: (String) throws -> Void) throws {
        guard depth <= Self.depth else {
            throw DRError(.limitExceeded, "\(folder.shown(path)) is nested more than \(Self.depth) folders deep")
        }
        let names = try folder.names(in: folder[path])
        guard names.count <= bound else {
            throw DRError(.limitExceeded, "\(folder.shown(path)) holds \(names.count) files", hint: "at most \(bound) are supported")
        }
        for name in names where !name.hasPrefix(".") {
            let inner = "\(path)/\(name)"
            let isManifest = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
            switch try folder.io.facts(folder[inner])?.kind {
            case .folder: try walk(inner, in: folder, depth: depth + 1, visit)
            case .file where isManifest: try visit(inner)
            case .symlink:
                throw DRError(
                    .invalidInput, "\(folder.shown(inner)) is a symbolic link", hint: "put the manifests themselves below resources/")
            default: break
            }
        }
    }

    // MARK: Reading

    /// In key order.
    var manifests: [Manifest] { files.values.flatMap(\.manifests).sorted { $0.key < $1.key } }

    func manifest(_ key: ObjectKey) -> Manifest? { places[key].flatMap { files[$0]?.manifest(key) } }

    // MARK: Changing

    /// Sets the object's text, in the file that holds it or in a new one of its own. The path that changed; nil where nothing did.
    mutating func put(_ object: ManifestObject) throws(DRError) -> String? {
        if let path = places[object.key], let file = files[path] {
            if file.manifest(object.key)?.text == object.text { return nil }
            files[path] = try file.replacing(object.key, with: object.text)
            return path
        }
        let path = free(for: object.key)
        let file = try ManifestFile(object.text, file: path)
        guard file.manifests.count == 1, file.manifests.first?.key == object.key else {
            throw DRError(.invalidInput, "the manifest of \(object.key) holds something else", location: object.location)
        }
        files[path] = file
        places[object.key] = path
        return path
    }

    mutating func delete(_ key: ObjectKey) throws(DRError) -> String? {
        guard let path = places[key], let file = files[path] else { return nil }
        let rest = try file.deleting(key)
        files[path] = rest.isBlank ? nil : rest
        places[key] = nil
        return path
    }

    /// `resources/<namespace or _cluster>/<kind>-<name>.yaml`, or a longer name where another object has that one.
    private func free(for key: ObjectKey) -> String {
        let folder = "resources/\(key.namespace ?? "_cluster")"
        let digest = Digest.hex(of: "\(key.group)/\(key.kind)/\(key.namespace ?? "")/\(key.name)").prefix(12)
        let plain = "\(key.kind.lowercased())-\(key.name)"
        let isShort = plain.utf8.count <= 200
        let path = "\(folder)/\(isShort ? plain : "\(String(plain.prefix(180)))-\(digest)").yaml"
        return files[path] == nil ? path : "\(folder)/\(String(plain.prefix(180)))-\(digest).yaml"
    }

    /// The same document changes made to a file that somebody has edited in the meantime; nil = nothing is left of it.
    static func applying(_ changes: [Intent.DocumentChange], to text: String, file: String) throws(DRError) -> String? {
        var result = try ManifestFile(text, file: file)
        for change in changes {
            let isThere = result.manifest(change.key) != nil
            switch (change.text, isThere) {
            case (let new?, true): result = try result.replacing(change.key, with: new)
            case (let new?, false): result = try result.appending(new)
            case (nil, true): result = try result.deleting(change.key)
            case (nil, false): break
            }
        }
        return result.isBlank ? nil : result.text
    }
}

/// Manifest files as they were read last, for as long as what `lstat` says of them stays the same.
final class ManifestCache: Sendable {
    private struct Entry: Sendable {
        let facts: FileFacts
        let readAt: Instant
        let file: ManifestFile
    }

    // A file changed twice within one tick of the kernel's clock looks unchanged; such young files are read again.
    private static let tick: Duration = .milliseconds(20)

    private let entries = Lock<[String: Entry]>([:])
    private let clock: any WallClock

    init(clock: any WallClock) { self.clock = clock }

    func file(_ path: String, in folder: ClusterFolder) throws -> ManifestFile {
        let facts = try folder.io.facts(folder[path])
        let kept = entries.withLock { $0[path] }
        if let kept, let facts, kept.facts == facts, kept.readAt - facts.changed > Self.tick { return kept.file }
        let readAt = clock.now()
        let file = try ManifestFile(try folder.text(folder[path]) ?? "", file: folder.shown(path))
        if let facts { entries.withLock { $0[path] = Entry(facts: facts, readAt: readAt, file: file) } }
        return file
    }
}
