internal import DRSupport

/// The time zones of this host: names from the system's zone files, and fixed offsets.
package enum ZoneFiles {
    /// `Europe/Berlin`, `UTC`, or an offset such as `+02:00`; nil = UTC. Reads one file. Throws `configuration` for a zone that there is none of.
    package static func rules(of zone: String?) throws(DRError) -> ZoneRules {
        guard let zone, zone != "UTC" else { return .utc }
        if let offset = offset(zone) { return ZoneRules(offset: offset) }
        guard let bytes = file(zone) else { throw missing(zone) }
        return try ZoneRules(bytes, zone: zone)
    }

    /// Throws `configuration` for a name that is wrong. Where the host has no zones at all nobody can tell: then only what needs the rules fails.
    package static func check(_ zone: String) throws(DRError) {
        do { _ = try rules(of: zone) } catch {
            if hasZones { throw error }
        }
    }

    private static let roots = ["/usr/share/zoneinfo", "/var/db/timezone/zoneinfo"]
    private static var hasZones: Bool { file("Europe/London") != nil }

    private static func file(_ zone: String) -> [UInt8]? {
        let parts = zone.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }), !zone.utf8.contains(0) else { return nil }
        return roots.lazy.compactMap { HostFile.bytes(of: "\($0)/\(zone)", limit: 1 << 20) }.first { $0.starts(with: "TZif".utf8) }
    }

    /// Of `+02:00`, `-05:30`, `Z`, in seconds.
    private static func offset(_ text: String) -> Int64? {
        if text == "Z" { return 0 }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, "+-".contains(sign), parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isNumber) }),
            let hours = Int64(parts[0]), let minutes = Int64(parts[1]), hours <= 14, minutes < 60
        else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    private static func missing(_ zone: String) -> DRError {
        guard hasZones else {
            return DRError(.configuration, "this host has no time zone data, so \"\(zone)\" is unknown", hint: "install tzdata")
        }
        let message = "there is no time zone \"\(zone)\" on this host"
        if let near = nearest(zone) { return DRError(.configuration, "\(message) (did you mean \"\(near)\"?)") }
        return DRError(.configuration, message, hint: "expected a name such as Europe/Berlin, or an offset such as +02:00")
    }

    /// A city without its continent is what people forget most.
    private static func nearest(_ zone: String) -> String? {
        let table = roots.lazy.compactMap { HostFile.bytes(of: "\($0)/zone.tab", limit: 1 << 20) }.first ?? []
        let names = String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line -> String? in
            let columns = line.split(separator: "\t")
            return line.hasPrefix("#") || columns.count < 3 ? nil : String(columns[2])
        }
        if let near = Spelling.nearest(to: zone, in: names + ["UTC"]) { return near }
        func city(_ name: String) -> String { String(name.split(separator: "/").last ?? "") }
        return Spelling.nearest(to: city(zone), in: names.map(city)).flatMap { found in names.first { city($0) == found } }
    }
}
