internal import DRManifest
internal import DRModel
internal import DRSupport

// What no single section can know.
extension ConfigurationReader {
    /// Every name that is mentioned is declared.
    mutating func checkNames(_ document: YAMLNode) {
        let inventory = result.inventory
        let clusters = DeclaredNames(inventory.clusters.map(\.text)), stores = DeclaredNames(inventory.objectStores.map(\.text))
        let applications = DeclaredNames(inventory.applications.map(\.name.text))
        let declared = Self.members(document["applications"])
        // Of what could not be read nothing more is said: its name may be meant.
        let pairs = DeclaredNames(document["pairs"]?.entries?.map(\.key) ?? [])
        for pair in inventory.pairs {
            let node = document["pairs"]?[pair.name.text]
            checkName(pair.source.text, clusters, "cluster", "pairs.\(pair.name).source", node?["source"])
            checkName(pair.destination.text, clusters, "cluster", "pairs.\(pair.name).destination", node?["destination"])
            checkName(pair.objectStore.text, stores, "object store", "pairs.\(pair.name).objectStore", node?["objectStore"])
        }
        let rules = DeclaredNames(Set(result.clusters.flatMap { $0.rules.keys.map(\.text) }).sorted())
        for application in inventory.applications {
            let items = declared[application.name.text]?["after"]?.items ?? []
            for (index, other) in application.after.enumerated() {
                let path = "applications.\(application.name).after[\(index)]"
                checkName(other.text, applications, "application", path, items.first { $0.scalar == other.text })
            }
            let node = declared[application.name.text]?["rules"]
            for (key, rule) in [("pre", application.rules.pre), ("post", application.rules.post)] {
                if let rule { checkName(rule.text, rules, "rule", "applications.\(application.name).rules.\(key)", node?[key]) }
            }
        }
        for schedule in inventory.schedules {
            let node = document["schedules"]?[schedule.name.text]
            checkName(schedule.pair.text, pairs, "pair", "schedules.\(schedule.name).pair", node?["pair"])
            for (index, name) in schedule.applications.enumerated() {
                checkName(
                    name.text, applications, "application", "schedules.\(schedule.name).applications[\(index)]",
                    node?["applications"]?.items?.first { $0.scalar == name.text })
            }
        }
    }

    private static func members(_ node: YAMLNode?) -> [String: YAMLNode] {
        Dictionary((node?.entries ?? []).map { ($0.key, $0.value) }) { first, _ in first }
    }

    private mutating func checkName(
        _ name: String, _ known: DeclaredNames, _ what: String, _ path: @autoclosure () -> String, _ node: @autoclosure () -> YAMLNode?
    ) {
        guard !known.set.contains(name) else { return }
        problems.append(
            DRError(
                .configuration, "\(path()): there is no \(what) \"\(name)\"\(Spelling.hint(for: name, in: known.list))",
                hint: known.list.isEmpty ? "no \(what) is declared" : "declared: \(known.list.joined(separator: ", "))",
                location: node()?.location))
    }

    /// No two applications share an object, and none waits for itself.
    mutating func checkApplications(_ document: YAMLNode) {
        let applications = result.inventory.applications
        // Those that were read so far, by each name that one of their namespaces has anywhere.
        var byNamespace: [String: [Int]] = [:]
        for (index, application) in applications.enumerated() {
            let names = Set(application.namespaces + application.renamed.keys.flatMap { application.namespaces(at: $0) })
            let neighbours = Set(names.flatMap { byNamespace[$0] ?? [] })
            for name in names { byNamespace[name, default: []].append(index) }
            for earlier in neighbours.sorted().map({ applications[$0] }) {
                guard !Self.excludeEachOther(application.labels, earlier.labels) else { continue }
                let path = "applications.\(application.name)"
                guard let namespace = application.namespaces.first(where: earlier.namespaces.contains) else {
                    refuseRenaming(application, earlier, document)
                    continue
                }
                problems.append(
                    DRError(
                        .configuration, "\(path): shares the namespace \(namespace) with the application \(earlier.name)",
                        hint:
                            "an object belongs to one application: give both `labels` that differ in a value, or make them one application",
                        location: document["applications"]?[application.name.text]?["namespaces"]?.location ?? places[path]))
            }
        }
        do { _ = try Application.waves(applications) } catch {
            let first = applications.first { !$0.after.isEmpty && error.message.contains($0.name.text) }
            let node = first.flatMap { document["applications"]?[$0.name.text]?["after"] }
            problems.append(DRError(.configuration, "applications: \(error.message)", hint: error.hint, location: node?.location))
        }
    }

    private mutating func refuseRenaming(_ application: Application, _ earlier: Application, _ document: YAMLNode) {
        for cluster in Set(application.renamed.keys).union(earlier.renamed.keys).sorted() {
            let taken = earlier.namespaces(at: cluster)
            guard let namespace = application.namespaces(at: cluster).first(where: taken.contains) else { continue }
            let renamer = application.renamed[cluster] == nil ? earlier : application
            problems.append(
                DRError(
                    .configuration,
                    "applications.\(renamer.name).renamed.\(cluster): \(earlier.name) and \(application.name) would share \(namespace)",
                    location: document["applications"]?[renamer.name.text]?["renamed"]?.location))
        }
    }

    /// Some label must differ in its value, so that no object has both sets.
    private static func excludeEachOther(_ a: [String: String], _ b: [String: String]) -> Bool {
        a.contains { key, value in b[key].map { $0 != value } ?? false }
    }

    /// What outlives a cluster does not lie in its folder, and no two clusters are one.
    mutating func checkFolders(_ document: YAMLNode) {
        for (index, cluster) in result.clusters.enumerated() {
            for earlier in result.clusters[..<index]
            where PathText.isInside(cluster.directory, earlier.directory) || PathText.isInside(earlier.directory, cluster.directory) {
                refuseFolder(
                    "clusters.\(cluster.name).directory: \(cluster.directory) and the directory of \(earlier.name) are not apart",
                    document["clusters"]?[cluster.name.text]?["directory"], "each cluster needs a directory of its own")
            }
            if PathText.isInside(result.state, cluster.directory) {
                refuseFolder(
                    "state: \(result.state) lies in the directory of the cluster \(cluster.name), with which it would be lost",
                    document["state"], "put it beside dr.yaml, outside every cluster: `state: .drrunbook`")
            }
            for store in result.objectStores {
                guard let directory = store.directory, PathText.isInside(directory, cluster.directory) else { continue }
                refuseFolder(
                    "objectStores.\(store.name).directory: \(directory) lies in the directory of the cluster \(cluster.name)",
                    document["objectStores"]?[store.name.text]?["directory"], "put it outside every cluster: `directory: objects`")
            }
        }
    }

    private mutating func refuseFolder(_ message: String, _ node: YAMLNode?, _ hint: String) {
        problems.append(DRError(.configuration, message, hint: hint, location: node?.location))
    }
}

/// Names in the order of the file.
private struct DeclaredNames {
    let list: [String]
    let set: Set<String>

    init(_ list: [String]) {
        self.list = list
        set = Set(list)
    }
}
