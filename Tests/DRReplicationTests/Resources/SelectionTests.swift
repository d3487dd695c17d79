import DRManifest
import DRModel
import Testing

@testable import DRReplication

struct SelectionTests {
    private static let cluster = """
        apiVersion: v1
        kind: Namespace
        metadata: { name: web }
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: { name: web, namespace: web }
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: web, namespace: web, labels: { app: web } }
        spec: { template: { spec: { priorityClassName: high, containers: [{ name: web }] } } }
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: { name: data, namespace: web }
        spec: { storageClassName: fast, volumeName: web-data }
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata: { name: web-data }
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata: { name: other-data }
        ---
        apiVersion: storage.k8s.io/v1
        kind: StorageClass
        metadata: { name: fast }
        ---
        apiVersion: storage.k8s.io/v1
        kind: StorageClass
        metadata: { name: slow }
        ---
        apiVersion: scheduling.k8s.io/v1
        kind: PriorityClass
        metadata: { name: high }
        ---
        apiVersion: example.com/v1
        kind: Cache
        metadata: { name: sessions, namespace: web }
        spec: { replicas: 2 }
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: { name: caches.example.com }
        spec: { group: example.com, names: { kind: Cache } }
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: { name: queues.example.com }
        spec: { group: example.com, names: { kind: Queue } }
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: { name: reader }
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: { name: writer }
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: { name: readers }
        roleRef: { kind: ClusterRole, name: reader }
        subjects:
          - { kind: ServiceAccount, name: other, namespace: other }
          - { kind: ServiceAccount, name: web, namespace: web }
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: { name: everybody }
        roleRef: { kind: ClusterRole, name: writer }
        subjects: [{ kind: ServiceAccount, name: default, namespace: web }]
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: { name: ours }
        webhooks: [{ name: a, clientConfig: { service: { namespace: web, name: hook } } }]
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: { name: theirs }
        webhooks: [{ name: a, clientConfig: { service: { namespace: other, name: hook } } }]
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: elsewhere, namespace: other }
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: notes, namespace: web, labels: { tier: scratch } }
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: lists, namespace: web, labels: { cache: local } }
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: { name: gate, namespace: web }
        """

    private func selected(_ application: Application, from yaml: String = cluster) throws -> [String] {
        let manifests = try Manifest.parse(yaml, file: "all.yaml")
        return try CarriedObjects.of(try ApplicationSelection.of(manifests, application, at: "east")).map(\.key.description)
    }

    @Test
    func `An application takes along what its objects need of the whole cluster, and nothing that others need, in the order of making`()
        throws
    {
        #expect(
            try selected(Application(name: "web", namespaces: ["web"])) == [
                "Namespace web", "CustomResourceDefinition caches.example.com", "PriorityClass high", "ClusterRole reader",
                "ServiceAccount web/web", "ClusterRoleBinding readers", "ConfigMap web/lists", "ConfigMap web/notes", "StorageClass fast",
                "PersistentVolume web-data", "PersistentVolumeClaim web/data", "NetworkPolicy web/gate", "Cache web/sessions",
                "Deployment web/web", "ValidatingWebhookConfiguration ours",
            ])
    }

    @Test func `All labels must match, one excluded label or kind is enough to stay`() throws {
        var application = Application(name: "web", namespaces: ["web"], labels: ["app": "web"])
        #expect(try selected(application) == ["Namespace web", "PriorityClass high", "Deployment web/web"])
        application.labels["tier"] = "front"
        #expect(try selected(application) == ["Namespace web"])
        application.labels = [:]
        application.exclude = Exclusion(
            kinds: ["networkpolicy", "Cache.example.com", "storageclasses", "serviceaccounts"],
            labels: ["tier": "scratch", "cache": "local"])
        let names = try selected(application)
        #expect(!names.contains { $0.hasPrefix("ConfigMap") || $0.hasPrefix("NetworkPolicy") || $0.contains("Cache") })
        #expect(!names.contains("ServiceAccount web/web"))
        #expect(!names.contains("CustomResourceDefinition caches.example.com"))
    }

    struct Skip: Sendable, CustomTestStringConvertible {
        let head: String
        let body: String
        let goes: Bool
        var testDescription: String { "\(head) \(body)" }
        init(_ head: String, _ body: String = "", goes: Bool = false) {
            self.head = head
            self.body = body
            self.goes = goes
        }
    }

    static let skips: [Skip] = [
        Skip("v1 Pod a"), Skip("v1 Event a"), Skip("batch/v1 Job a"),
        Skip("batch/v1 Job a", "annotations: { drrunbook/include: \"true\" }", goes: true),
        Skip("v1 ConfigMap kube-root-ca.crt"), Skip("v1 ConfigMap openshift-service-ca.crt"), Skip("v1 ConfigMap settings", goes: true),
        Skip("v1 ConfigMap a", "annotations: { drrunbook/skip: \"true\" }"),
        Skip("v1 ConfigMap a", "annotations: { stork.libopenstorage.org/skip-resource: \"true\" }"),
        Skip("v1 ServiceAccount builder"), Skip("v1 ServiceAccount web", goes: true),
        Skip("v1 Secret deployer-dockercfg-x"), Skip("v1 Secret keys", goes: true),
        Skip("v1 Secret t", "\ntype: kubernetes.io/service-account-token"),
        Skip("rbac.authorization.k8s.io/v1 Role system:node"), Skip("rbac.authorization.k8s.io/v1 Role reader", goes: true),
        Skip("rbac.authorization.k8s.io/v1 RoleBinding system:image"),
        Skip("rbac.authorization.k8s.io/v1 RoleBinding system:openshift:scc:anyuid", goes: true),
        Skip("operators.coreos.com/v1alpha1 ClusterServiceVersion a"), Skip("operators.coreos.com/v1alpha1 Subscription a"),
        Skip("messaging.example.com/v1 Subscription a", goes: true),
        Skip("v1 ConfigMap a", "labels: { olm.managed: \"true\" }"),
        Skip("kubevirt.io/v1 VirtualMachineInstance a"), Skip("kubevirt.io/v1 VirtualMachine a", goes: true),
        Skip("v1 ResourceQuota gke-resource-quotas"), Skip("autoscaling/v2 HorizontalPodAutoscaler a", goes: true),
        Skip("discovery.k8s.io/v1 EndpointSlice a", "labels: { endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io }"),
        Skip("v1 Endpoints a"), Skip("v1 Endpoints a", "\nsubsets: [{ addresses: [{ ip: 10.1.1.1 }] }]", goes: true),
        Skip("v1 Endpoints a", "\nsubsets: [{ addresses: [{ ip: 10.1.1.1, targetRef: { kind: Pod } }] }]"),
        Skip("apps/v1 ReplicaSet a", "ownerReferences: [{ kind: Deployment, name: owner }]"),
        Skip("apps/v1 ReplicaSet a", "ownerReferences: [{ kind: Deployment, name: gone }]", goes: true),
        Skip("v1 Service a", "ownerReferences: [{ kind: Deployment, name: owner }]"),
        Skip(
            "v1 Service a",
            "ownerReferences: [{ kind: Deployment, name: owner }], annotations: { stork.libopenstorage.org/skip-owner-ref-check: \"true\" }",
            goes: true),
        Skip("v1 Secret a", "ownerReferences: [{ kind: Deployment, name: owner }]", goes: true),
        Skip("v1 Secret a", "ownerReferences: [{ kind: Pod, name: p }]"),
    ]

    @Test(arguments: skips) func `What the other cluster makes by itself stays behind, all else goes`(skip: Skip) throws {
        let words = skip.head.split(separator: " ")
        let more = skip.body.hasPrefix("\n") || skip.body.isEmpty ? "" : ", \(skip.body)"
        let yaml = """
            apiVersion: \(words[0])
            kind: \(words[1])
            metadata: { name: "\(words[2])", namespace: web\(more) }\(skip.body.hasPrefix("\n") ? skip.body : "")
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: { name: owner, namespace: web }
            """
        let names = try selected(Application(name: "web", namespaces: ["web"]), from: yaml)
        #expect(names.contains("\(words[1]) web/\(words[2])") == skip.goes)
    }
}
