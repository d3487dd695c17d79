import DRManifest
import DRModel
import DRSimulation
import Testing

@testable import DRReplication

struct PlacementTests {
    private static let shared = """
        apiVersion: storage.k8s.io/v1
        kind: StorageClass
        metadata: { name: fast }
        provisioner: pxd.portworx.com
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: { name: pg-data, namespace: shop-db }
        spec:
          storageClassName: fast
          volumeName: pg-data

        """

    @Test func `What serves the whole cluster is made where it is missing, and never changed or removed`() async throws {
        let world = try EngineWorld()
        try world.east.add(Self.shared)
        let theirs = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: { name: fast }\nprovisioner: theirs\n"
        try world.west.add(theirs)
        let engine = world.engine()
        let (_, there) = try await engine.move("ledger", run: "there")
        #expect(!there.contains { $0.contains("StorageClass") })
        #expect(world.west.text("StorageClass", "fast") == theirs)
        let home = world.east.text("StorageClass", "fast")
        let (_, back) = try await engine.move("ledger", reversed: true, run: "back")
        #expect(!back.contains { $0.contains("StorageClass") })
        #expect(world.east.text("StorageClass", "fast") == home)

        let other = try EngineWorld()
        try other.east.add(Self.shared)
        let (_, made) = try await other.engine().move("ledger")
        #expect(made.contains("create StorageClass fast @west"))
        #expect(other.west.allDocuments[.application("ledger")]?["owned"].list?.contains("StorageClass.storage.k8s.io fast") == false)
    }

    @Test func `Unchanged objects are left alone, changed ones patched, none is made again, those gone at the source go`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.move("storefront", run: "there")
        // Written otherwise by hand, and with a status, but still the same.
        let service = "kind: Service\napiVersion: v1\nmetadata:\n  namespace: shop-web\n  name: web # mine\nstatus: { a: b }\n"
        try world.east.add(service)
        try await engine.move("storefront", reversed: true, run: "back")
        #expect(world.east.text("Service", "web") == service)
        try world.east.add("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web, namespace: shop-web }\ndata: { mode: off }\n")
        try world.east.add("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra, namespace: shop-web }\n")
        world.east.set { $0.objects[ObjectKey(kind: "Service", namespace: "shop-web", name: "web")] = nil }
        let (_, effects) = try await engine.move("storefront", run: "again")
        #expect(
            effects.filter { ["create", "patch", "delete"].contains($0.prefix { $0 != " " }) } == [
                "create ConfigMap shop-web/extra @west", "patch ConfigMap shop-web/web @west", "delete Service shop-web/web @west",
            ])
    }

    @Test func `G8 a foreign object is never overwritten, and the refusal changes nothing`() async throws {
        let world = try EngineWorld()
        let theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web, namespace: shop-web }\ndata: { theirs: yes }\n"
        try world.west.add(theirs)
        let engine = world.engine()
        try await engine.stop("storefront", Spoken("stop"))
        try await engine.migrate(["storefront"], final: true, Spoken("sync"))
        let before = world.observable
        let error = await expectError(.foreignObject) { try await engine.activate("storefront", .planned, Spoken("activate")) }
        #expect(error?.message == "west already has ConfigMap shop-web/web, which storefront did not make; nothing was changed")
        #expect(world.observable == before)
        #expect(world.west.text("ConfigMap", "web") == theirs)
    }
}
