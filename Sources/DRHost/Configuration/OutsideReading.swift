internal import DRActions
internal import DRManifest
internal import DRModel
internal import DROutside
internal import DRSupport

// limits, allow, notify, approvals, jobs.
extension ConfigurationReader {
    mutating func readLimits(_ node: YAMLNode) {
        let member = Member(name: "limits", path: "limits", location: node.location, node: node)
        guard map(member, ["memory", "cpu", "deadline", "output", "branches", "records"]) else { return }
        var limits = RunbookLimits()
        if let memory = optional(member, "memory", { node, path throws(DRError) in try node.size(path) }) { limits.memory = memory }
        if let cpu = optional(member, "cpu", { node, path throws(DRError) in try node.duration(path) }) { limits.cpu = cpu }
        if let deadline = optional(member, "deadline", { node, path throws(DRError) in try node.duration(path) }) {
            limits.deadline = deadline
        }
        if let output = optional(member, "output", { node, path throws(DRError) in try node.size(path) }) { limits.output = output }
        if let branches = optional(member, "branches", { node, path throws(DRError) in try node.integer(path, in: 1...100_000) }) {
            limits.branches = Int(branches)
        }
        if let records = optional(member, "records", { node, path throws(DRError) in try node.integer(path, in: 1...100_000_000) }) {
            limits.records = Int(records)
        }
        if let node = member.node["memory"], limits.memory < ByteCount(1 << 20) {
            refuse("limits.memory: expected at least 1MiB, found \(limits.memory)", at: node)
        }
        result.limits = limits
    }

    mutating func readAllow(_ node: YAMLNode) {
        let member = Member(name: "allow", path: "allow", location: node.location, node: node)
        guard map(member, ["exec", "http", "secrets"]) else { return }
        let programs = optional(member, "exec") { node, path throws(DRError) in try node.list(path) } ?? []
        for (index, item) in programs.enumerated() {
            readProgram(Member(name: "exec", path: "allow.exec[\(index)]", location: item.location, node: item))
        }
        for (item, text) in texts(member, "http") {
            if let problem = Allowances.Site.problem(text) {
                refuse("\(item.path): expected the beginning of a URL, found \"\(text)\"", at: item.node, hint: problem)
                continue
            }
            result.allow.sites.append(Allowances.Site(url: text, location: item.location))
        }
        for (item, text) in texts(member, "secrets") {
            guard let name = secret(text, item) else { continue }
            result.allow.secrets.append(Allowances.Secret(name: name, location: item.location))
        }
    }

    private mutating func texts(_ member: Member, _ key: String) -> [(Member, String)] {
        let items = optional(member, key) { node, path throws(DRError) in try node.list(path) } ?? []
        return items.enumerated().compactMap { index, node in
            let path = "\(member.path).\(key)[\(index)]"
            return text(node, path).map { (Member(name: key, path: path, location: node.location, node: node), $0) }
        }
    }

    private mutating func secret(_ text: String, _ member: Member) -> SecretName? {
        do { return try SecretName(text) } catch {
            problems.append(DRError(.configuration, "\(member.path): \(error.message)", hint: error.hint, location: member.location))
            return nil
        }
    }

    private mutating func readProgram(_ member: Member) {
        guard map(member, ["name", "path", "args", "env"]) else { return }
        let name = required(member, "name", "what runbooks call it").flatMap { text($0, "\(member.path).name") }
        let path = required(member, "path", "the program's absolute path").flatMap { text($0, "\(member.path).path") }
        let arguments = optional(member, "args") { node, path throws(DRError) in try node.strings(path) } ?? []
        let environment = optional(member, "env") { node, path throws(DRError) in try node.strings(path) } ?? []
        for variable in environment where variable.isEmpty || variable.contains("=") || variable.hasPrefix("DRRUNBOOK_") {
            guard let node = member.node["env"] else { continue }
            refuse("\(member.path).env: expected names of variables that a call may set, found \"\(variable)\"", at: node)
        }
        guard let name, let path else { return }
        if !path.hasPrefix("/"), let node = member.node["path"] {
            refuse("\(member.path).path: expected an absolute path, found \"\(path)\"", at: node)
        }
        result.allow.programs.append(
            Allowances.Program(name: name, path: path, arguments: arguments, environment: environment, location: member.location))
    }

    mutating func readApprovals(_ node: YAMLNode) {
        let member = Member(name: "approvals", path: "approvals", location: node.location, node: node)
        guard !node.isNull, map(member, ["people", "groups"]) else { return }
        for entry in optional(member, "people", { node, path throws(DRError) in try node.map(path) }) ?? [] where !entry.value.isNull {
            let person = Member(
                name: entry.key, path: "approvals.people.\(entry.key)", location: entry.keyLocation, node: entry.value)
            guard map(person, ["sshKey", "accounts"]) else { continue }
            let accounts = optional(person, "accounts") { node, path throws(DRError) in try node.strings(path) }
            let key = optional(person, "sshKey") { node, path throws(DRError) in try node.string(path) }
            if let key, SSHSignature.publicKey(key) == nil, let node = person.node["sshKey"] {
                refuse("\(person.path).sshKey: expected an ssh public key such as \"ssh-ed25519 AAAA...\"", at: node)
            }
            result.approvals.people.append(
                ApprovalRules.Person(name: entry.key, key: key.flatMap(SSHSignature.publicKey), accounts: accounts))
        }
        for entry in optional(member, "people", { node, path throws(DRError) in try node.map(path) }) ?? [] where entry.value.isNull {
            result.approvals.people.append(ApprovalRules.Person(name: entry.key, key: nil))
        }
        for entry in optional(member, "groups", { node, path throws(DRError) in try node.map(path) }) ?? [] {
            let path = "approvals.groups.\(entry.key)"
            guard let names = attempt({ () throws(DRError) in try entry.value.strings(path) }) else { continue }
            for name in names where result.approvals.person(name) == nil {
                let known = result.approvals.people.map(\.name)
                refuse("\(path): there is no person \"\(name)\"\(Spelling.hint(for: name, in: known))", at: entry.value)
            }
            result.approvals.groups[entry.key] = names
        }
    }

    mutating func readNotification(_ member: Member) {
        guard map(member, ["webhook", "token"]) else { return }
        let webhook = required(member, "webhook", "a URL").flatMap { text($0, "\(member.path).webhook") }
        let token = optional(member, "token") { node, path throws(DRError) in try node.string(path) }
        guard let webhook else { return }
        if let problem = Allowances.Site.problem(webhook), !problem.contains("query"), let node = member.node["webhook"] {
            refuse("\(member.path).webhook: expected a URL, found \"\(webhook)\"", at: node, hint: problem)
        }
        let name = token.flatMap {
            secret($0, Member(name: "token", path: "\(member.path).token", location: member.location, node: member.node))
        }
        result.allow.channels.append(
            Allowances.Channel(name: member.name, webhook: webhook, token: name, location: member.location))
    }

    mutating func readJob(_ member: Member) {
        guard map(member, ["runbook", "cron", "zone", "params"]) else { return }
        let runbook = required(member, "runbook", "the runbook's file").flatMap { text($0, "\(member.path).runbook") }
        let cron = required(member, "cron", "when it runs, such as \"0 3 * * 0\"").flatMap { text($0, "\(member.path).cron") }
        let zone = optional(member, "zone") { node, path throws(DRError) in try node.string(path) }
        _ = optional(member, "params") { node, path throws(DRError) in try node.map(path) }
        guard let runbook, let cron else { return }
        do {
            let time = try CronTime(cron, zone: zone)
            result.jobs.append(
                JobDeclaration(
                    name: member.name, runbook: PathText.absolute(runbook, in: result.folder), cron: cron, time: time,
                    parameters: member.node["params"].map(ParameterFile.value) ?? [:]))
        } catch {
            let key = (try? CronTime(cron, zone: nil)) == nil ? "cron" : "zone"
            refuse("\(member.path).\(key): \(error.message)", at: member.node[key] ?? member.node, hint: error.hint)
        }
    }
}
