internal import DRManifest
internal import DRModel

// When a schedule runs.
extension ConfigurationReader {
    /// Exactly one of `interval`, `daily`, `weekly`, `monthly`.
    mutating func policy(_ member: Member) -> SchedulePolicy? {
        let said = ["interval", "daily", "weekly", "monthly"].filter { member.node[$0] != nil }
        guard said.count == 1, let word = said.first, let node = member.node[word] else {
            let what = said.isEmpty ? "when it runs is missing" : "\(said.joined(separator: " and ")) stand together"
            problems.append(
                DRError(
                    .configuration, "\(member.path): \(what): expected one of interval, daily, weekly, monthly", location: member.location))
            return nil
        }
        let path = "\(member.path).\(word)"
        let zone = optional(member, "zone") { node, path throws(DRError) in try node.string(path) }
        if word == "interval" {
            guard let interval = attempt({ () throws(DRError) in try node.duration(path) }) else { return nil }
            guard interval >= .seconds(1) else {
                refuse("\(path): expected at least 1s, found \(interval.text)", at: node)
                return nil
            }
            if let zone = member.node["zone"] { refuse("\(member.path).zone: an interval has no time zone", at: zone) }
            return .interval(interval)
        }
        if let zone, let node = member.node["zone"] {
            do { try ZoneFiles.check(zone) } catch { refuse("\(member.path).zone: \(error.message)", at: node, hint: error.hint) }
        }
        if let zone = node["zone"] {
            refuse("\(path).zone: zone stands beside \(word), as in { \(word): ..., zone: Europe/Berlin }", at: zone)
        }
        if word == "daily" {
            if node.entries != nil { checkKeys(node, path, ["at", "zone"]) }
            return timeOfDay(node.entries == nil ? node : node["at"] ?? node, path).map { .daily(at: $0, zone: zone) }
        }
        guard attempt({ () throws(DRError) in try node.map(path) }) != nil else { return nil }
        let inner = Member(name: word, path: path, location: node.location, node: node)
        checkKeys(node, path, ["day", "at", "zone"])
        let at = required(inner, "at", "a time of day such as 02:15").flatMap { timeOfDay($0, "\(path).at") }
        guard let day = required(inner, "day", word == "weekly" ? "a day of the week" : "a day of the month") else { return nil }
        if word == "weekly" {
            let name = attempt { () throws(DRError) in try day.choice("\(path).day", of: SchedulePolicy.days) }
            guard let name, let at else { return nil }
            return .weekly(day: name, at: at, zone: zone)
        }
        let number = attempt { () throws(DRError) in try day.integer("\(path).day", in: 1...31) }
        guard let number, let at else { return nil }
        return .monthly(day: Int(number), at: at, zone: zone)
    }

    private mutating func timeOfDay(_ node: YAMLNode, _ path: String) -> String? {
        guard let text = node.scalar, (try? SchedulePolicy.secondsOfDay(text)) != nil else {
            problems.append(node.mismatch(path, expected: "a time of day such as 02:15"))
            return nil
        }
        return text
    }
}
