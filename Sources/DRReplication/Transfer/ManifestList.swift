internal import DRModel

/// The manifests of a point as one object. Its name is the SHA-256 of its bytes.
enum ManifestList {
    static func object(_ manifests: [ManifestObject]) -> [UInt8] {
        let list = manifests.sorted { $0.key < $1.key }.map { manifest -> Value in
            var fields: [String: Value] = [
                "group": .string(manifest.key.group), "kind": .string(manifest.key.kind), "name": .string(manifest.key.name),
                "text": .string(manifest.text), "labels": .map(manifest.labels.mapValues { .string($0) }),
                "annotations": .map(manifest.annotations.mapValues { .string($0) }),
            ]
            if let namespace = manifest.key.namespace { fields["namespace"] = .string(namespace) }
            return .map(fields)
        }
        return Array((Value.map(["format": 1, "objects": .list(list)]).json() + "\n").utf8)
    }

    static func parse(_ object: [UInt8], name: ContentHash) throws(Malformed) -> [ManifestObject] {
        guard ContentHash(of: object) == name else { throw Malformed("its checksum is wrong") }
        guard let root = try? Value(json: String(decoding: object, as: UTF8.self)), root["format"].integer == 1,
            let list = root["objects"].list
        else { throw Malformed("it cannot be read") }
        var manifests: [ManifestObject] = []
        for item in list {
            guard let group = item["group"].string, let kind = item["kind"].string, let name = item["name"].string,
                let text = item["text"].string
            else { throw Malformed("an object in it is incomplete") }
            manifests.append(
                ManifestObject(
                    key: ObjectKey(group: group, kind: kind, namespace: item["namespace"].string, name: name),
                    labels: (item["labels"].map ?? [:]).compactMapValues(\.string),
                    annotations: (item["annotations"].map ?? [:]).compactMapValues(\.string), text: text))
        }
        return manifests
    }
}
