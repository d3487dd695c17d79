import DRManifest
import DRModel
import DRSimulation
import Testing

@testable import DRReplication

struct TransformTests {
    private static let door = """
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: door
          namespace: shop-web
          annotations:
            acme.example/issuer: east
        spec:
          rules:
            - host: shop.east.example.com # the shop
            - host: www.east.example.com

        """
    private static let role = """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: { name: readers, namespace: shop-web }
        roleRef: { kind: Role, name: reader }
        subjects: [{ kind: ServiceAccount, name: web, namespace: shop-web }]

        """

    private func world() throws -> EngineWorld {
        var world = try EngineWorld()
        try world.east.add(Self.door + "---\n" + Self.role)
        world.inventory.applications[1].transforms = [
            Transform(at: "west", kind: "Ingress", path: "spec.rules.*.host", .replace("east", with: "west")),
            Transform(at: "west", kind: "Ingress", path: "/metadata/annotations/acme.example~1issuer", .delete),
            Transform(at: "west", kind: "Ingress", name: "door", path: "spec.ingressClassName", .set("nginx")),
            Transform(at: "west", kind: "Deployment", path: "spec.replicas", .set("5")),
            Transform(at: "east", kind: "Ingress", path: "spec.ingressClassName", .set("never")),
        ]
        return world
    }

    @Test func `Transforms differ at their cluster alone and are undone on the way home`() async throws {
        let world = try world()
        let engine = world.engine()
        try await engine.move("storefront", run: "there")
        let there = try #require(world.west.text("Ingress", "door"))
        #expect(there.contains("- host: shop.west.example.com # the shop\n"))
        #expect(there.contains("- host: www.west.example.com\n"))
        #expect(there.contains("ingressClassName: nginx"))
        #expect(!there.contains("acme.example"))
        #expect(try world.west.replicas("Deployment", "web") == 5)
        try await engine.move("storefront", reversed: true, run: "back")
        let home = try #require(world.east.text("Ingress", "door"))
        #expect(home.contains("- host: shop.east.example.com # the shop\n"))
        #expect(home.contains("acme.example/issuer: east"))
        #expect(try world.east.replicas("Deployment", "web") == 2)
    }

    @Test func `What somebody changed at the other cluster meanwhile comes home as it is`() async throws {
        let world = try world()
        let engine = world.engine()
        try await engine.move("storefront", run: "there")
        let there = try #require(world.west.text("Ingress", "door"))
        try world.west.add(there.replacing("www.west.example.com", with: "new.example.com"))
        try await engine.move("storefront", reversed: true, run: "back")
        let home = try #require(world.east.text("Ingress", "door"))
        #expect(home.contains("- host: shop.east.example.com # the shop\n"))
        #expect(home.contains("- host: new.example.com\n"))
    }

    @Test func `A namespace is called otherwise at the other cluster, in all that names it, and as before at home`() async throws {
        var world = try EngineWorld()
        try world.east.add(Self.role + "---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop-web }\n")
        world.inventory.applications[1].renamed = ["west": ["shop-web": "dr-web"]]
        let before = world.east.text("RoleBinding", "readers")
        let engine = world.engine()
        let (_, effects) = try await engine.move("storefront", run: "there")
        #expect(effects.contains("create Namespace dr-web @west"))
        #expect(effects.contains("create RoleBinding dr-web/readers @west"))
        #expect(effects.contains("scale Deployment dr-web/web 0->2 @west"))
        #expect(world.west.text("RoleBinding", "readers") == Self.role.replacing("shop-web", with: "dr-web"))
        #expect(!effects.contains { $0.contains("shop-web") && $0.hasSuffix("@west") })
        let (report, back) = try await engine.move("storefront", reversed: true, run: "back")
        #expect(report.active_at == "east")
        #expect(world.east.text("RoleBinding", "readers") == before)
        #expect(back.allSatisfy { !$0.contains("dr-web") || $0.hasSuffix("@west") })
        #expect(!back.contains { $0.hasPrefix("create") || $0.hasPrefix("delete") })
    }

    @Test func `What only its own cluster could write is not made at the other`() throws {
        let yaml = """
            apiVersion: v1
            kind: Service
            metadata:
              name: web
              namespace: shop-web
              uid: 7c1f
              resourceVersion: "12"
              creationTimestamp: "2026-01-01T00:00:00Z"
              ownerReferences:
                - kind: Shop
                  name: shop
              finalizers: [a/b]
            spec:
              clusterIP: 10.96.0.7
              clusterIPs: [10.96.0.7]
              ports:
                - port: 80
                  nodePort: 30080
            status:
              loadBalancer: {}
            """
        let object = try #require(try Manifest.parse(yaml, file: "a.yaml").first?.object)
        #expect(
            try Preparation.prepared(object, in: ["shop-web"]).text == """
                apiVersion: v1
                kind: Service
                metadata:
                  name: web
                  namespace: shop-web
                spec:
                  ports:
                    - port: 80
                      nodePort: 30080

                """)
        let headless = try #require(try Manifest.parse(yaml.replacing("10.96.0.7", with: "None"), file: "a.yaml").first?.object)
        #expect(try Preparation.prepared(headless, in: ["shop-web"]).text.contains("clusterIP: None"))
    }

    @Test func `Of a binding for many only the application's own subjects go`() throws {
        let yaml = """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: { name: readers }
            subjects:
              - kind: ServiceAccount
                name: other
                namespace: other
              - { kind: ServiceAccount, name: web, namespace: shop-web }
              - { kind: ServiceAccount, name: third, namespace: third }

            """
        let object = try #require(try Manifest.parse(yaml, file: "a.yaml").first?.object)
        let trimmed = try Preparation.prepared(object, in: ["shop-web"]).text
        #expect(trimmed.contains("name: web"))
        #expect(!trimmed.contains("other") && !trimmed.contains("third"))
    }
}
