package import DRManifest
internal import DRModel
internal import DRSupport

extension Manifest {
    /// What the object has and no other of its cluster can have: ports of the nodes, the hosts of its doors, the volume of a claim.
    package var sole: [String] {
        switch key.kind {
        case "Service", "Deployment", "StatefulSet", "DaemonSet": ports
        case "Ingress", "Route": doors.map(Self.soleDoor)
        case "PersistentVolumeClaim": volumeName.map { [Self.soleVolume($0)] } ?? []
        default: []
        }
    }

    /// The kinds that have such things.
    package static let soleKinds = ["Service", "Deployment", "StatefulSet", "DaemonSet", "Ingress", "Route", "PersistentVolumeClaim"]

    static func soleDoor(_ door: String) -> String { "door \(door)" }
    static func soleVolume(_ name: String) -> String { "volume \(name)" }

    /// `node port 30080` of a service, `host port 80` of whatever has pods.
    var ports: [String] {
        if key.kind == "Service" {
            return (root[["spec", "ports"]]?.items ?? []).compactMap { $0["nodePort"]?.scalar.map { "node port \($0)" } }
        }
        return (podSpec?["containers"]?.items ?? []).flatMap { $0["ports"]?.items ?? [] }
            .compactMap { $0["hostPort"]?.scalar.map { "host port \($0)" } }
    }

    /// Hosts with their paths. Two may share a host where their paths differ.
    var doors: [String] {
        switch key.kind {
        case "Ingress":
            return (root[["spec", "rules"]]?.items ?? []).flatMap { rule -> [String] in
                guard let host = rule["host"]?.scalar else { return [] }
                let paths = (rule[["http", "paths"]]?.items ?? []).compactMap { $0["path"]?.scalar }
                return (paths.isEmpty ? ["/"] : paths).map { host + $0 }
            }
        case "Route": return scalar(at: ["spec", "host"]).map { [$0 + (scalar(at: ["spec", "path"]) ?? "/")] } ?? []
        default: return []
        }
    }
}

/// Who has what only one can have, found out when it is first asked.
final class SoleIndex: Sendable {
    private let known = Lock<[String: [Manifest]]?>(nil)

    func holders(of things: Set<String>, among manifests: () -> [Manifest]) -> [Manifest] {
        let index = known.withLock { known in
            if let known { return known }
            var index: [String: [Manifest]] = [:]
            for manifest in manifests() { for thing in manifest.sole { index[thing, default: []].append(manifest) } }
            known = index
            return index
        }
        let found = things.flatMap { index[$0] ?? [] }
        return Array(Dictionary(found.map { ($0.key, $0) }) { first, _ in first }.values)
    }
}
