internal import DRManifest
internal import DRModel
internal import DRObjectStores

// objectStores.
extension ConfigurationReader {
    mutating func readObjectStore(_ member: Member) {
        guard map(member, ["directory", "s3", "encryption", "bandwidth"]), let name: StoreName = name(member) else { return }
        result.inventory.objectStores.append(name)
        let kind: ObjectStoreDeclaration.Kind
        if let node = member.node["s3"] {
            if let other = member.node["directory"] {
                refuse("\(member.path): directory and s3 are two stores: expected one of them", at: other)
                return
            }
            guard let location = readBucket(Member(name: "s3", path: "\(member.path).s3", location: node.location, node: node)) else {
                return
            }
            kind = .s3(location)
        } else {
            guard let node = required(member, "directory", "the store's folder, or s3 with a bucket"),
                let directory = text(node, "\(member.path).directory")
            else { return }
            kind = .directory(PathText.absolute(directory, in: result.folder))
        }
        var store = ObjectStoreDeclaration(name: name, kind: kind)
        store.bandwidth = optional(member, "bandwidth") { node, path throws(DRError) in try node.size(path) }
        if let node = member.node["bandwidth"], let bandwidth = store.bandwidth, bandwidth.bytes < 1024 {
            refuse("\(member.path).bandwidth: expected at least 1KiB (a second), found \(bandwidth)", at: node)
        }
        if let node = member.node["encryption"] {
            store.keys = readKeys(Member(name: "encryption", path: "\(member.path).encryption", location: node.location, node: node))
        }
        result.objectStores.append(store)
    }

    private mutating func readBucket(_ member: Member) -> S3Location? {
        guard map(member, ["endpoint", "bucket", "region", "pathStyle"]) else { return nil }
        let bucket = required(member, "bucket", "the bucket's name").flatMap { text($0, "\(member.path).bucket") }
        let region = optional(member, "region") { node, path throws(DRError) in try node.string(path) } ?? "us-east-1"
        let endpoint = optional(member, "endpoint") { node, path throws(DRError) in try node.string(path) }
        // Stores of one's own rarely have a name for each bucket.
        let pathStyle = optional(member, "pathStyle") { node, path throws(DRError) in try node.bool(path) } ?? (endpoint != nil)
        guard let bucket else { return nil }
        do {
            return try S3Location(
                endpoint: endpoint ?? "https://s3.\(region).amazonaws.com", bucket: bucket, region: region, pathStyle: pathStyle)
        } catch {
            problems.append(
                DRError(.configuration, "\(member.path).\(error.message)", hint: error.hint, location: member.location))
            return nil
        }
    }

    private mutating func readKeys(_ member: Member) -> [ObjectStoreDeclaration.KeySource] {
        guard map(member, ["keys"]), let node = required(member, "keys", "a list such as [{ env: DR_STORE_KEY }]"),
            let items = attempt({ () throws(DRError) in try node.list("\(member.path).keys") })
        else { return [] }
        if items.isEmpty { refuse("\(member.path).keys: expected at least one key, found an empty list", at: node) }
        return items.enumerated().compactMap { index, node in
            let item = Member(name: "keys", path: "\(member.path).keys[\(index)]", location: node.location, node: node)
            guard map(item, ["env", "file"]) else { return nil }
            if let variable = optional(item, "env", { node, path throws(DRError) in try node.string(path) }) {
                return .environment(variable)
            }
            return required(item, "file", "the file that holds the key, or env: a variable").flatMap { text($0, "\(item.path).file") }.map {
                .file(PathText.absolute($0, in: result.folder))
            }
        }
    }
}
