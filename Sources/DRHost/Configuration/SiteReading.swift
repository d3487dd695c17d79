internal import DRManifest
internal import DRModel

// clusters, objectStores and pairs.
extension ConfigurationReader {
    mutating func readCluster(_ member: Member) {
        let known = ["directory", "selfFence", "hosts", "workloads", "rules", "kubeconfig", "context"]
        guard map(member, known), let name: ClusterName = name(member) else { return }
        result.inventory.clusters.append(name)
        if let node = member.node["kubeconfig"] ?? member.node["context"] {
            refuse(
                "\(member.path): clusters behind a kubeconfig are not supported by this version", at: node,
                hint: "name the directory of an embedded cluster: `directory: sites/\(name)`")
            return
        }
        guard let node = required(member, "directory", "the folder of the embedded cluster"),
            let directory = text(node, "\(member.path).directory")
        else { return }
        var cluster = ClusterDeclaration(name: name, directory: PathText.absolute(directory, in: result.folder))
        cluster.selfFence = optional(member, "selfFence") { node, path throws(DRError) in try node.duration(path) }
        cluster.hosts = optional(member, "hosts") { node, path throws(DRError) in try node.strings(path) } ?? []
        if let node = member.node["workloads"] { cluster.workloads = readWorkloads(node, "\(member.path).workloads") }
        if let node = member.node["rules"] { cluster.rules = readRules(node, "\(member.path).rules") }
        result.clusters.append(cluster)
    }

    private mutating func readRules(_ node: YAMLNode, _ path: String) -> [RuleName: [String]] {
        var rules: [RuleName: [String]] = [:]
        for entry in attempt({ () throws(DRError) in try node.map(path) }) ?? [] {
            let rule = Member(name: entry.key, path: "\(path).\(entry.key)", location: entry.value.location, node: entry.value)
            guard let name: RuleName = name(rule) else { continue }
            rules[name] = command(Member(name: "rules", path: path, location: node.location, node: node), entry.key, words: ["application"])
        }
        return rules
    }

    private mutating func readWorkloads(_ node: YAMLNode, _ path: String) -> WorkloadDeclaration? {
        let member = Member(name: "workloads", path: path, location: node.location, node: node)
        guard map(member, ["start", "stop", "ready", "drill", "fence"]) else { return nil }
        let start = command(member, "start", isRequired: true), stop = command(member, "stop", isRequired: true)
        let ready = command(member, "ready"), drill = command(member, "drill")
        let fence = command(member, "fence", words: ["application"])
        guard let start, let stop else { return nil }
        return WorkloadDeclaration(start: start, stop: stop, ready: ready, drill: drill, fence: fence)
    }

    private mutating func command(
        _ member: Member, _ key: String, isRequired: Bool = false, words known: [String] = ["namespace", "kind", "name", "replicas"]
    ) -> [String]? {
        let path = "\(member.path).\(key)"
        let word = known.contains("name") ? "name" : known[0]
        let expected = "a program and its arguments as a list, such as [systemctl, \(key), \"{\(word)}\"]"
        guard let node = isRequired ? required(member, key, expected) : member.node[key] else { return nil }
        guard let words = node.items else {
            problems.append(node.mismatch(path, expected: expected))
            return nil
        }
        guard !words.isEmpty else {
            refuse("\(path): expected \(expected), found an empty list", at: node)
            return nil
        }
        let command = attempt { () throws(DRError) in try node.strings(path) } ?? []
        for (index, word) in command.enumerated() {
            for place in Self.placeholders(in: word) where !known.contains(place) {
                refuse(
                    "\(path)[\(index)]: nothing is known as {\(place)}", at: words[index],
                    hint: "known: \(known.map { "{\($0)}" }.joined(separator: ", "))")
            }
        }
        return command.isEmpty ? nil : command
    }

    private static func placeholders(in word: String) -> [String] {
        word.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }.filter { !$0.isEmpty && $0.allSatisfy { $0.isLetter } }
    }

    mutating func readPair(_ member: Member) {
        guard map(member, ["source", "destination", "objectStore", "bothWays"]), let name: PairName = name(member) else { return }
        let source: ClusterName? = reference(member, "source", "the cluster that replicates")
        let destination: ClusterName? = reference(member, "destination", "the cluster that receives")
        let store: StoreName? = reference(member, "objectStore", "the store in between")
        let bothWays = optional(member, "bothWays") { node, path throws(DRError) in try node.bool(path) } ?? false
        guard let source, let destination, let store else { return }
        if source == destination, let node = member.node["destination"] {
            refuse("\(member.path): source and destination are both \(source): expected two clusters", at: node)
            return
        }
        result.inventory.pairs.append(
            ClusterPair(name: name, source: source, destination: destination, objectStore: store, bothWays: bothWays))
    }

    private mutating func reference<Of>(_ member: Member, _ key: String, _ expected: String) -> Name<Of>? {
        guard let node = required(member, key, expected) else { return nil }
        return attempt { () throws(DRError) in try node.name("\(member.path).\(key)") }
    }
}
