internal import DRModel

/// The manifests of a point, in the order of their keys and cut into pages, so that what is written for a change is the pages it stands in and not the whole.
///
/// Where a page begins depends on a key alone: an object more or less leaves all pages but its own as they are. Neighbours are alike and compress well together,
/// which is why a page is not a single object.
enum ManifestPages {
    /// One key in so many begins a page.
    private static let objects: UInt64 = 16
    private static let mostBytes = 256 << 10

    static func pages(_ manifests: [ManifestObject]) -> [StoredPage] {
        var pages: [StoredPage] = []
        var open: [Value] = []
        var bytes = 0
        func cut() {
            if open.isEmpty { return }
            pages.append(StoredPage(content: content(open), places: []))
            open = []
            bytes = 0
        }
        for manifest in manifests.sorted(by: { $0.key < $1.key }) {
            if bytes >= mostBytes || isBoundary(manifest.key) { cut() }
            open.append(value(manifest))
            bytes += manifest.text.utf8.count
        }
        cut()
        return pages
    }

    /// Throws when the keys do not rise: an object would stand there twice.
    static func manifests(_ pages: some Sequence<StoredPage>) throws(Malformed) -> [ManifestObject] {
        var manifests: [ManifestObject] = []
        for page in pages {
            guard let root = try? Value(json: String(decoding: page.content, as: UTF8.self)), let list = root["objects"].list else {
                throw Malformed("it cannot be read")
            }
            guard root["format"].integer == 1 else { throw .newer }
            for item in list {
                let next = try manifest(item)
                if let last = manifests.last, !(last.key < next.key) { throw Malformed("its objects are out of order") }
                manifests.append(next)
            }
        }
        return manifests
    }

    private static func isBoundary(_ key: ObjectKey) -> Bool {
        var writer = ByteWriter()
        for part in [key.group, key.kind, key.namespace ?? "", key.name] { writer.put(counted: Array(part.utf8)) }
        return ContentHash(of: writer.bytes).isOneIn(objects)
    }

    private static func content(_ list: [Value]) -> [UInt8] {
        Array((Value.map(["format": 1, "objects": .list(list)]).json() + "\n").utf8)
    }

    private static func value(_ manifest: ManifestObject) -> Value {
        var fields: [String: Value] = [
            "group": .string(manifest.key.group), "kind": .string(manifest.key.kind), "name": .string(manifest.key.name),
            "text": .string(manifest.text), "labels": .map(manifest.labels.mapValues { .string($0) }),
            "annotations": .map(manifest.annotations.mapValues { .string($0) }),
        ]
        if let namespace = manifest.key.namespace { fields["namespace"] = .string(namespace) }
        return .map(fields)
    }

    private static func manifest(_ item: Value) throws(Malformed) -> ManifestObject {
        guard let group = item["group"].string, let kind = item["kind"].string, let name = item["name"].string,
            let text = item["text"].string
        else { throw Malformed("an object in it is incomplete") }
        return ManifestObject(
            key: ObjectKey(group: group, kind: kind, namespace: item["namespace"].string, name: name),
            labels: (item["labels"].map ?? [:]).compactMapValues(\.string),
            annotations: (item["annotations"].map ?? [:]).compactMapValues(\.string), text: text)
    }
}
