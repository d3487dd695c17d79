internal import DRManifest
internal import DRModel

/// An application's manifests as its clone in a drill has them: in namespaces of its own, with volumes of its own, reached from nowhere else.
struct CloneForm {
    let namespaces: [String: String]
    /// The clone's name of each volume.
    let volumes: [String: String]

    /// Nil for what a clone must not have: what serves the whole cluster, and what leads into it from outside. Throws `invalid-input`.
    func clone(_ object: ManifestObject) throws(DRError) -> ManifestObject? {
        guard !isLeftOut(object.key) else { return nil }
        var manifest = try Manifest(rehosted(try NamespaceMap(namespaces).renaming(object)))
        if object.key.kind == "PersistentVolume", let name = volumes[object.key.name] {
            manifest = try manifest.setting(["metadata", "name"], to: name)
        }
        if object.key.kind == "PersistentVolumeClaim", let bound = manifest.scalar(at: ["spec", "volumeName"]), let name = volumes[bound] {
            manifest = try manifest.setting(["spec", "volumeName"], to: name)
        }
        if object.key.kind == "Service" { manifest = try closed(manifest) }
        return manifest.object
    }

    private static let entrances: Set<String> = [
        "Ingress", "Route", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", "Gateway", "VirtualService",
    ]

    private func isLeftOut(_ key: ObjectKey) -> Bool {
        if key.kind == "Namespace" { return namespaces[key.name] == nil }
        return CarriedObjects.isShared(key) || key.namespace != nil && Self.entrances.contains(key.kind)
    }

    // A port of every node, or an address outside, is the real one's.
    private func closed(_ manifest: Manifest) throws(DRError) -> Manifest {
        var closed = manifest
        if let type = manifest.scalar(at: ["spec", "type"]), type == "LoadBalancer" || type == "NodePort" {
            closed = try closed.setting(["spec", "type"], to: "ClusterIP")
        }
        for (index, port) in (manifest.root[["spec", "ports"]]?.items ?? []).enumerated() where port["nodePort"] != nil {
            closed = try closed.removing(["spec", "ports", String(index), "nodePort"])
        }
        for field in ["externalIPs", "loadBalancerIP", "healthCheckNodePort", "externalTrafficPolicy"] {
            closed = try closed.removing(["spec", field])
        }
        return closed
    }

    /// `pg.shop-db.svc` in a setting would reach the real one.
    private func rehosted(_ object: ManifestObject) -> ManifestObject {
        var text = object.text
        for (name, clone) in namespaces.sorted(by: { $0.key < $1.key }) where text.contains(".\(name).svc") {
            text = text.split(separator: ".\(name).svc", omittingEmptySubsequences: false).joined(separator: ".\(clone).svc")
        }
        return ManifestObject(key: object.key, labels: object.labels, annotations: object.annotations, text: text)
    }

    /// Traffic stays among the clone's own namespaces, where the cluster enforces policies; names are still resolved.
    func policy(in namespace: String) throws(DRError) -> ManifestObject {
        let names = namespaces.values.sorted().joined(separator: ", ")
        let peers = "{ namespaceSelector: { matchExpressions: [{ key: kubernetes.io/metadata.name, operator: In, values: [\(names)] }] } }"
        return try made(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: { name: drrunbook-drill, namespace: \(namespace) }
            spec:
              podSelector: {}
              policyTypes: [Ingress, Egress]
              ingress: [{ from: [\(peers)] }]
              egress:
                - { to: [\(peers)] }
                - { ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }] }

            """)
    }

    func namespace(_ name: String) throws(DRError) -> ManifestObject {
        try made("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: \(name)\n")
    }

    private func made(_ text: String) throws(DRError) -> ManifestObject {
        guard var object = try Manifest.parse(text, file: "drill").first?.object else {
            throw DRError(.internal, "a manifest of our own is empty")
        }
        object.location = nil
        return object
    }

    /// Where the clone's services answer, by port. The first service by name wins a port.
    static func endpoints(_ objects: [ManifestObject]) throws(DRError) -> [String: String] {
        var endpoints: [String: String] = [:]
        for object in objects.sorted(by: { $0.key < $1.key }) where object.key.kind == "Service" {
            for port in try Manifest(object).root[["spec", "ports"]]?.items ?? [] {
                guard let number = port["port"]?.scalar, endpoints[number] == nil else { continue }
                endpoints[number] = "\(object.key.name).\(object.key.namespace ?? "default").svc:\(number)"
            }
        }
        return endpoints
    }
}
