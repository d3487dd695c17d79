import DRModel
import DRReplication
import DRSimulation
import Testing

/// An application with something of everything, on real files.
struct RichApplicationTests {
    private static let cluster = """
        apiVersion: v1
        kind: Namespace
        metadata: { name: shop-db, uid: "17" }
        ---
        apiVersion: storage.k8s.io/v1
        kind: StorageClass
        metadata: { name: fast }
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: { name: caches.example.com }
        spec: { group: example.com, names: { kind: Cache } }
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: { name: readers }
        roleRef: { kind: ClusterRole, name: reader }
        subjects:
          - { kind: ServiceAccount, name: pg, namespace: shop-db }
          - { kind: ServiceAccount, name: else, namespace: elsewhere }

        """
    private static let own = """
        # ours
        apiVersion: v1
        kind: Service
        metadata:
          name: pg
          namespace: shop-db
          resourceVersion: "12"
        spec:
          clusterIP: 10.96.0.7 # given
          ports:
            - port: 5432
        status: { loadBalancer: {} }
        ---
        apiVersion: example.com/v1
        kind: Cache
        metadata: { name: pages, namespace: shop-db }
        spec: { replicas: 2, host: pages.east.example.com }
        ---
        apiVersion: example.com/v1
        kind: Cache
        metadata: { name: odd, namespace: shop-db, annotations: { drrunbook/hold: spec.power=off } }
        spec:
          size: 3
        ---
        apiVersion: kubevirt.io/v1
        kind: VirtualMachine
        metadata: { name: old, namespace: shop-db }
        spec:
          running: true
        ---
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: { name: agent, namespace: shop-db }
        spec:
          template:
            spec:
              nodeSelector: { disk: ssd }
        ---
        apiVersion: batch/v1
        kind: Job
        metadata: { name: once, namespace: shop-db }

        """

    private func world() throws -> FolderWorld {
        var world = try FolderWorld()
        try write(world["east/resources/cluster.yaml"], Array(Self.cluster.utf8))
        try write(world["east/resources/own.yaml"], Array(Self.own.utf8))
        world.inventory.applications[0].renamed = ["west": ["shop-db": "dr-db"]]
        world.inventory.applications[0].transforms = [
            Transform(at: "west", kind: "Cache", path: "spec.host", .replace("east", with: "west")),
            Transform(at: "west", kind: "Service", name: "pg", path: "spec.type", .set("NodePort")),
        ]
        return world
    }

    @Test func `G4 there and back with everything there is: the plan tells it, and at home every file is as it was`() async throws {
        let world = try world()
        let files = ["cluster.yaml", "own.yaml", "ledger.yaml", "storefront.yaml"]
        let before = try files.map { try contents(world["east/resources/\($0)"]) }
        let all = try world.everything()
        let planned = try await world.planningEngine().move("ledger", run: "there").1
        #expect(try world.everything() == all)
        let there = try await world.engine().move("ledger", run: "there").1
        #expect(planned == there)
        for effect in [
            "scale Cache shop-db/pages 2->0 @east", "suspend Cache shop-db/odd @east", "suspend DaemonSet shop-db/agent @east",
            "create Namespace dr-db @west", "create StorageClass fast @west", "create CustomResourceDefinition caches.example.com @west",
            "create ClusterRoleBinding readers @west", "create Service dr-db/pg @west", "scale Cache dr-db/pages 0->2 @west",
            "resume VirtualMachine dr-db/old @west", "resume DaemonSet dr-db/agent @west",
        ] {
            // The class is used by no claim.
            #expect(there.contains(effect) == (effect != "create StorageClass fast @west"), "\(effect)")
        }
        #expect(!there.contains { $0.contains(" Job ") })
        let service = String(decoding: try contents(world["west/resources/dr-db/service-pg.yaml"]), as: UTF8.self)
        #expect(service.contains("namespace: dr-db") && service.contains("type: NodePort"))
        #expect(!service.contains("clusterIP") && !service.contains("status") && !service.contains("resourceVersion"))
        let binding = String(decoding: try contents(world["west/resources/_cluster/clusterrolebinding-readers.yaml"]), as: UTF8.self)
        #expect(binding.contains("namespace: dr-db") && !binding.contains("elsewhere"))

        let plannedBack = try await world.planningEngine().move("ledger", reversed: true, run: "back").1
        let back = try await world.engine().move("ledger", reversed: true, run: "back").1
        #expect(plannedBack == back)
        #expect(!back.contains { $0.hasPrefix("create") || $0.hasPrefix("patch") || $0.hasPrefix("delete") })
        for (file, text) in zip(files, before) {
            #expect(String(decoding: try contents(world["east/resources/\(file)"]), as: UTF8.self) == String(decoding: text, as: UTF8.self))
        }
    }

    @Test func `A service that is changed keeps the address its cluster gave it`() async throws {
        let world = try world()
        let engine = world.engine()
        try await engine.move("ledger", run: "there")
        let path = world["west/resources/dr-db/service-pg.yaml"]
        let text = String(decoding: try contents(path), as: UTF8.self)
        try SystemStoreIO().removeFile(path)
        try write(path, Array(text.replacing("port: 5432", with: "port: 5433").utf8))
        let back = try await engine.move("ledger", reversed: true, run: "back").1
        #expect(back.contains("patch Service shop-db/pg @east"))
        let home = String(decoding: try contents(world["east/resources/own.yaml"]), as: UTF8.self)
        #expect(home.contains("clusterIP: 10.96.0.7") && home.contains("port: 5433") && home.contains("namespace: shop-db"))
        #expect(!home.contains("NodePort"))
    }
}
