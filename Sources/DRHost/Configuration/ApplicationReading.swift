internal import DRManifest
internal import DRModel

// applications and schedules.
extension ConfigurationReader {
    mutating func readApplication(_ member: Member) {
        let known = ["namespaces", "labels", "after", "ready", "rto", "rpo", "exclude", "renamed", "transforms", "rules", "standby"]
        guard map(member, known), let name: ApplicationName = name(member) else { return }
        var application = Application(name: name, namespaces: [])
        if let node = required(member, "namespaces", "the namespaces it lives in, such as [\(name)]") {
            application.namespaces = namespaces(node, "\(member.path).namespaces")
        }
        if let node = member.node["labels"] { application.labels = texts(node, "\(member.path).labels") }
        if let node = member.node["after"] {
            let list = attempt { () throws(DRError) in try node.list("\(member.path).after") } ?? []
            for (index, item) in list.enumerated() {
                let path = "\(member.path).after[\(index)]"
                if let other: ApplicationName = attempt({ () throws(DRError) in try item.name(path) }) { application.after.append(other) }
            }
        }
        if let ready = positive(member, "ready") { application.ready = ready }
        application.rto = positive(member, "rto")
        application.rpo = positive(member, "rpo")
        readResources(member, into: &application)
        if let node = member.node["rules"] { application.rules = rules(node, "\(member.path).rules") }
        let standby = optional(member, "standby") { node, path throws(DRError) in
            try node.choice(path, of: Standby.allCases.map(\.rawValue))
        }
        if let standby = standby.flatMap(Standby.init(rawValue:)) { application.standby = standby }
        applications.append(application)
    }

    private mutating func namespaces(_ node: YAMLNode, _ path: String) -> [String] {
        guard let items = attempt({ () throws(DRError) in try node.list(path) }) else { return [] }
        if items.isEmpty { refuse("\(path): expected at least one namespace, found an empty list", at: node) }
        var names: [String] = []
        for (index, item) in items.enumerated() {
            guard let name: Name<NamespaceTag> = attempt({ () throws(DRError) in try item.name("\(path)[\(index)]") }) else { continue }
            if names.contains(name.text) { refuse("\(path)[\(index)]: \(name) stands twice", at: item) } else { names.append(name.text) }
        }
        return names
    }

    private mutating func rules(_ node: YAMLNode, _ path: String) -> SnapshotRules {
        let member = Member(name: "rules", path: path, location: node.location, node: node)
        guard map(member, ["pre", "post"]) else { return SnapshotRules() }
        func rule(_ reader: inout ConfigurationReader, _ key: String) -> RuleName? {
            reader.optional(member, key) { node, path throws(DRError) in try node.name(path) }
        }
        return SnapshotRules(pre: rule(&self, "pre"), post: rule(&self, "post"))
    }

    private enum NamespaceTag {}

    private mutating func positive(_ member: Member, _ key: String) -> Duration? {
        let duration = optional(member, key) { node, path throws(DRError) in try node.duration(path) }
        if duration == .zero, let node = member.node[key] { refuse("\(member.path).\(key): expected more than nothing", at: node) }
        return duration
    }

    mutating func readSchedule(_ member: Member) {
        let known = ["pair", "applications", "interval", "daily", "weekly", "monthly", "zone", "retain", "suspended"]
        guard map(member, known), let name: ScheduleName = name(member) else { return }
        let pair: PairName? = required(member, "pair", "the pair to replicate over").flatMap { node in
            attempt { () throws(DRError) in try node.name("\(member.path).pair") }
        }
        let applications = required(member, "applications", "a list of applications, or all").map { scheduled($0, member) } ?? []
        let policy = policy(member)
        let retain = member.node["retain"].map { retention($0, "\(member.path).retain") } ?? Retention()
        let suspended = optional(member, "suspended") { node, path throws(DRError) in try node.bool(path) } ?? false
        guard let pair, let policy else { return }
        result.inventory.schedules.append(
            Schedule(name: name, pair: pair, applications: applications, policy: policy, retain: retain, suspended: suspended))
    }

    private mutating func scheduled(_ node: YAMLNode, _ member: Member) -> [ApplicationName] {
        if node.scalar == "all" { return result.inventory.applications.map(\.name) }
        let path = "\(member.path).applications"
        guard let items = node.items else {
            problems.append(node.mismatch(path, expected: "a list of applications, or all"))
            return []
        }
        if items.isEmpty { refuse("\(path): expected at least one application, found an empty list", at: node) }
        return items.enumerated().compactMap { index, item in attempt { () throws(DRError) in try item.name("\(path)[\(index)]") } }
    }

    private mutating func retention(_ node: YAMLNode, _ path: String) -> Retention {
        let member = Member(name: "retain", path: path, location: node.location, node: node)
        var retention = Retention()
        guard map(member, ["last", "hourly", "daily", "weekly", "monthly"]) else { return retention }
        func count(_ reader: inout ConfigurationReader, _ key: String, from least: Int64, _ target: WritableKeyPath<Retention, Int>) {
            let number = reader.optional(member, key) { node, path throws(DRError) in try node.integer(path, in: least...100_000) }
            if let number { retention[keyPath: target] = Int(number) }
        }
        count(&self, "last", from: 1, \.last)
        count(&self, "hourly", from: 0, \.hourly)
        count(&self, "daily", from: 0, \.daily)
        count(&self, "weekly", from: 0, \.weekly)
        count(&self, "monthly", from: 0, \.monthly)
        return retention
    }
}
