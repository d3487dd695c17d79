internal import DRModel
internal import DRSimulation
internal import DRSupport

/// What lies at a site when a fixture says nothing of it.
enum SimulatedSite {
    /// A namespace, a workload with a volume, and what a copy has to carry along. Names are the application's.
    static func manifests(of application: Application, at cluster: ClusterName) -> String {
        let spaces = application.namespaces(at: cluster)
        let name = application.name.text
        let labels =
            application.labels.isEmpty
            ? "app: \(name)" : application.labels.sorted { $0.key < $1.key }.map { "\($0.key): \"\($0.value)\"" }.joined(separator: ", ")
        let namespaces = spaces.map {
            """
            apiVersion: v1
            kind: Namespace
            metadata: { name: \($0) }
            ---

            """
        }
        return namespaces.joined() + """
            apiVersion: v1
            kind: PersistentVolume
            metadata: { name: \(name)-data }
            spec: { capacity: { storage: 1Gi }, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Retain }
            ---
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: { name: \(name)-data, namespace: \(spaces[0]), labels: { \(labels) } }
            spec: { volumeName: \(name)-data, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: \(name), namespace: \(spaces[0]), labels: { \(labels) } }
            data: { mode: "on" }
            ---
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: { name: \(name), namespace: \(spaces[0]), labels: { \(labels) } }
            spec:
              replicas: 1
              selector: { matchLabels: { app: \(name) } }
              template:
                metadata: { labels: { app: \(name) } }
                spec:
                  containers: [{ name: \(name), image: "registry.example.com/\(name):1.0" }]

            """
    }

    /// Where applications live before anything moved: the source of the first pair.
    static func home(_ inventory: Inventory) -> ClusterName? { inventory.pairs.first?.source ?? inventory.clusters.first }

    /// The world of a fixture, without what was done in it before the test.
    static func world(_ fixture: Fixture, seed: UInt64) throws -> SimulatedWorld {
        let inventory = fixture.configuration.inventory
        let clock = SimulatedClock(fixture.now - (fixture.copied ?? .zero))
        let home = home(inventory)
        let clusters = try inventory.clusters.map { name in
            let cluster = MemoryCluster(name, clock: clock)
            let site = fixture.sites[name] ?? Fixture.Site()
            if let facts = site.facts { cluster.set { $0.facts = facts } }
            for resource in site.resources { try cluster.add(resource.text, file: resource.file) }
            for volume in site.volumes { cluster.memory.write(volume.text, to: volume.name) }
            if name == home, !site.isExplicit {
                for application in inventory.applications { try cluster.add(manifests(of: application, at: name)) }
            }
            try check(site, cluster)
            try fill(cluster)
            try cluster.startAll()
            return cluster
        }
        return SimulatedWorld(
            inventory: inventory, clusters: clusters, stores: inventory.objectStores.map { MemoryObjectStore($0) }, clock: clock, seed: seed
        )
    }

    // What is written into a volume that no manifest names is lost.
    private static func check(_ site: Fixture.Site, _ cluster: MemoryCluster) throws {
        let known = cluster.state.withLock { $0.objects.keys.filter { $0.kind == "PersistentVolume" }.map(\.name) }
        for volume in site.volumes where !known.isEmpty && !known.contains(volume.name.text) {
            throw DRError(
                .configuration,
                "clusters.\(cluster.name).volumes: there is no PersistentVolume \"\(volume.name)\"\(Spelling.hint(for: volume.name.text, in: known))",
                hint: "there are: \(known.sorted().joined(separator: ", "))")
        }
    }

    /// Every volume that a manifest names has something in it.
    private static func fill(_ cluster: MemoryCluster) throws {
        for key in cluster.state.withLock({ $0.objects.keys.sorted() }) where key.kind == "PersistentVolume" {
            let name = try VolumeName(key.name)
            if cluster.memory.read(name) == nil { cluster.memory.write("write 0\n", to: name) }
        }
    }
}
