internal import DRManifest
internal import DRModel
internal import DRSupport

// applications.NAME.exclude, .renamed and .transforms: which objects are copied, and what differs in them elsewhere.
extension ConfigurationReader {
    mutating func readResources(_ member: Member, into application: inout Application) {
        if let node = member.node["exclude"] { application.exclude = exclusion(node, "\(member.path).exclude") }
        if let node = member.node["renamed"] { application.renamed = renamings(node, "\(member.path).renamed", application) }
        guard let node = member.node["transforms"] else { return }
        let items = attempt { () throws(DRError) in try node.list("\(member.path).transforms") } ?? []
        for (index, item) in items.enumerated() {
            if let transform = transform(item, "\(member.path).transforms[\(index)]") { application.transforms.append(transform) }
        }
    }

    private mutating func exclusion(_ node: YAMLNode, _ path: String) -> Exclusion {
        var exclusion = Exclusion()
        guard map(Member(name: "exclude", path: path, location: node.location, node: node), ["kinds", "labels"]) else { return exclusion }
        if let kinds = node["kinds"] {
            let items = attempt { () throws(DRError) in try kinds.list("\(path).kinds") } ?? []
            exclusion.kinds = items.enumerated().compactMap { index, item in text(item, "\(path).kinds[\(index)]") }
        }
        if let labels = node["labels"] { exclusion.labels = texts(labels, "\(path).labels") }
        return exclusion
    }

    private mutating func renamings(_ node: YAMLNode, _ path: String, _ application: Application) -> [ClusterName: [String: String]] {
        var renamed: [ClusterName: [String: String]] = [:]
        for entry in attempt({ () throws(DRError) in try node.map(path) }) ?? [] {
            let inner = "\(path).\(entry.key)"
            guard let cluster = knownCluster(entry.key, inner, entry.value) else { continue }
            let names = texts(entry.value, inner)
            for (old, new) in names.sorted(by: { $0.key < $1.key }) {
                let place = entry.value[old] ?? entry.value
                if !application.namespaces.contains(old) {
                    refuse(
                        "\(inner).\(old): no namespace of \(application.name)\(Spelling.hint(for: old, in: application.namespaces))",
                        at: place,
                        hint: "its namespaces are \(application.namespaces.joined(separator: ", "))")
                }
                if new.contains(".") || new.utf8.count > 63 || (try? ApplicationName(new)) == nil {
                    refuse("\(inner).\(old): \"\(new)\" is not a valid namespace: expected lower-case letters, digits and '-'", at: place)
                }
            }
            let all = application.namespaces.map { names[$0] ?? $0 }
            if Set(all).count < all.count { refuse("\(inner): two namespaces would have one name", at: entry.value) }
            renamed[cluster] = names
        }
        return renamed
    }

    // What makes an object what it is.
    private static let identity: Set<[String]> = [
        ["apiVersion"], ["kind"], ["metadata"], ["metadata", "name"], ["metadata", "namespace"],
    ]

    private mutating func transform(_ node: YAMLNode, _ path: String) -> Transform? {
        let member = Member(name: "transform", path: path, location: node.location, node: node)
        guard map(member, ["at", "kind", "name", "path", "set", "replace", "with", "delete"]) else { return nil }
        guard let at = required(member, "at", "the cluster where it differs"),
            let cluster = at.scalar.flatMap({ knownCluster($0, "\(path).at", at) }),
            let kind = required(member, "kind", "a kind, such as Ingress").flatMap({ text($0, "\(path).kind") }),
            let field = required(member, "path", "a path, such as spec.rules.*.host").flatMap({ text($0, "\(path).path") }),
            let operation = operation(member)
        else { return nil }
        let name = optional(member, "name") { node, path throws(DRError) in try node.string(path) }
        let steps = Transform.path(field)
        if steps.isEmpty || steps.contains("") || Self.identity.contains(steps) {
            refuse(
                "\(path).path: \"\(field)\" cannot be transformed", at: node["path"] ?? node,
                hint: steps.first == "metadata" ? "`renamed` gives namespaces other names" : "expected a path such as spec.rules.*.host")
        }
        return Transform(at: cluster, kind: kind, name: name, path: field, operation)
    }

    /// Exactly one of `set`, `replace` with `with`, `delete`.
    private mutating func operation(_ member: Member) -> Transform.Operation? {
        let said = ["set", "replace", "delete"].filter { member.node[$0] != nil }
        guard said.count == 1, let word = said.first, let node = member.node[word], (word == "replace") == (member.node["with"] != nil)
        else {
            refuse("\(member.path): expected one of set, replace and with, delete", at: member.node)
            return nil
        }
        let path = "\(member.path).\(word)"
        switch word {
        case "set": return text(node, path).map { .set($0) }
        case "delete":
            let said = attempt { () throws(DRError) in try node.bool(path) }
            if said == false { refuse("\(path): expected true, or no such key", at: node) }
            return said == true ? .delete : nil
        default:
            guard let old = text(node, path), let new = member.node["with"].flatMap({ text($0, "\(member.path).with") }) else { return nil }
            if old.isEmpty { refuse("\(path): expected some text", at: node) }
            return .replace(old, with: new)
        }
    }

    private mutating func knownCluster(_ name: String, _ path: String, _ node: YAMLNode) -> ClusterName? {
        let known = result.inventory.clusters
        if let cluster = known.first(where: { $0.text == name }) { return cluster }
        let names = known.map(\.text)
        refuse(
            "\(path): there is no cluster \"\(name)\"\(Spelling.hint(for: name, in: names))", at: node,
            hint: "declared: \(names.joined(separator: ", "))")
        return nil
    }

    mutating func texts(_ node: YAMLNode, _ path: String) -> [String: String] {
        var texts: [String: String] = [:]
        for entry in attempt({ () throws(DRError) in try node.map(path) }) ?? [] {
            texts[entry.key] = text(entry.value, "\(path).\(entry.key)")
        }
        return texts
    }
}
