import DRManifest
import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// What a check finds in manifests of the source, of the destination, or of both.
struct ManifestCheckTests {
    struct Finding: Sendable, CustomTestStringConvertible {
        let id: String
        let state: CheckResult.State
        let message: String
        let east: String
        let west: String
        var testDescription: String { "\(id): \(message)" }

        init(_ id: String, _ state: CheckResult.State, _ message: String, east: String = "", west: String = "") {
            self.id = id
            self.state = state
            self.message = message
            self.east = east
            self.west = west
        }
    }

    /// `v1 Service web`: an object in the namespace of the storefront.
    private static func object(_ head: String, in namespace: String? = "shop-web", _ body: String = "", metadata: String = "") -> String {
        let words = head.split(separator: " ")
        let place = namespace.map { ", namespace: \($0)" } ?? ""
        let more = metadata.isEmpty ? "" : ", \(metadata)"
        return "apiVersion: \(words[0])\nkind: \(words[1])\nmetadata: { name: \(words[2])\(place)\(more) }\n\(body)\n---\n"
    }

    private static func pod(_ head: String, _ spec: String) -> String { object(head, "spec: { template: { spec: { \(spec) } } }") }
    private static func claim(_ name: String, _ spec: String) -> String { object("v1 PersistentVolumeClaim \(name)", "spec: { \(spec) }") }

    static let findings: [Finding] = [
        Finding(
            "no-direct-access-volumes", .failed, "PersistentVolumeClaim shop-web/d (class da)",
            east: claim("d", "storageClassName: da, volumeName: pg-data")
                + object("storage.k8s.io/v1 StorageClass da", in: nil, "parameters: { backend: pure_block }")),
        Finding(
            "no-direct-access-volumes", .failed, "PersistentVolume web-data (pure_file)",
            east: claim("d", "volumeName: web-data")
                + object("v1 PersistentVolume web-data", in: nil, "spec: { csi: { volumeAttributes: { backend: pure_file } } }")),
        Finding(
            "no-proxy-volumes", .warning, "PersistentVolumeClaim shop-web/d (class proxy)",
            east: claim("d", "storageClassName: proxy")
                + object("storage.k8s.io/v1 StorageClass proxy", in: nil, "parameters: { proxy_endpoint: nfs://a }")),
        Finding(
            "no-local-volumes", .warning, "PersistentVolume web-data (hostPath), StatefulSet shop-web/a (nodeSelector)",
            east: claim("d", "volumeName: web-data") + object("v1 PersistentVolume web-data", in: nil, "spec: { hostPath: { path: /x } }")
                + pod("apps/v1 StatefulSet a", "nodeSelector: { kubernetes.io/hostname: n1 }, containers: [{ name: a }]")),
        Finding(
            "storage-classes-present", .failed, "PersistentVolumeClaim shop-web/d names class gone",
            east: claim("d", "storageClassName: gone")
        ),
        Finding(
            "storage-classes-present", .ok, "all classes are there", east: claim("d", "storageClassName: there"),
            west: object("storage.k8s.io/v1 StorageClass there", in: nil)),
        Finding(
            "claims-unshared", .failed, "pg-data is claimed by PersistentVolumeClaim shop-db/pg-data and PersistentVolumeClaim shop-web/d",
            east: claim("d", "volumeName: pg-data")),
        Finding(
            "custom-resources-served", .failed, "Cache.example.com", east: object("example.com/v1 Cache a")),
        Finding(
            "custom-resources-served", .ok, "every kind of custom resource is known there", east: object("example.com/v1 Cache a"),
            west: object(
                "apiextensions.k8s.io/v1 CustomResourceDefinition caches.example.com", in: nil,
                "spec: { group: example.com, names: { kind: Cache } }")),
        Finding(
            "virtual-machine-volumes", .failed,
            "VirtualMachine shop-web/vm uses the ReadWriteMany block volume d, but east, west is no OpenShift",
            east: claim("d", "volumeMode: Block, accessModes: [ReadWriteMany]")
                + object(
                    "kubevirt.io/v1 VirtualMachine vm",
                    "spec: { runStrategy: Always, template: { spec: { volumes: [{ persistentVolumeClaim: { claimName: d } }] } } }")),
        Finding(
            "api-versions-served", .failed, "CronJob shop-web/old is batch/v1beta1, gone since 1.25; west is v1.31.2",
            east: object("batch/v1beta1 CronJob old")),
        Finding(
            "references-present", .warning,
            "StatefulSet shop-web/a names ConfigMap shop-web/c, StatefulSet shop-web/a names Secret shop-web/s, "
                + "StatefulSet shop-web/a names ServiceAccount shop-web/sa",
            east: pod(
                "apps/v1 StatefulSet a",
                "serviceAccountName: sa, volumes: [{ configMap: { name: c } }, { secret: { secretName: x, optional: true } }], "
                    + "containers: [{ name: a, envFrom: [{ secretRef: { name: s } }, { configMapRef: { name: web } }] }]")),
        Finding(
            "images-reachable", .warning, "StatefulSet shop-web/a runs image-registry.openshift-image-registry.svc:5000/shop/web:1",
            east: pod(
                "apps/v1 StatefulSet a",
                "containers: [{ image: \"image-registry.openshift-image-registry.svc:5000/shop/web:1\" }, { image: \"quay.io/a:1\" }, { image: a }]"
            )),
        Finding(
            "node-ports-free", .failed, "node port 30080 of Service shop-web/a is taken by Service other/b",
            east: object("v1 Service a", "spec: { ports: [{ port: 80, nodePort: 30080 }] }"),
            west: object("v1 Service b", in: "other", "spec: { ports: [{ port: 80, nodePort: 30080 }] }")),
        Finding(
            "node-ports-free", .failed, "host port 9100 of DaemonSet shop-web/a is taken by DaemonSet other/b",
            east: pod("apps/v1 DaemonSet a", "containers: [{ ports: [{ hostPort: 9100 }] }]"),
            west: pod("apps/v1 DaemonSet b", "containers: [{ ports: [{ hostPort: 9100 }] }]").replacing("shop-web", with: "other")),
        Finding(
            "ingress-hosts-free", .failed, "shop.example.com/ of Ingress shop-web/a is taken by Ingress other/b",
            east: object("networking.k8s.io/v1 Ingress a", "spec: { rules: [{ host: shop.example.com }] }"),
            west: object("networking.k8s.io/v1 Ingress b", in: "other", "spec: { rules: [{ host: shop.example.com }] }")),
        Finding(
            "ingress-hosts-free", .ok, "no host is taken",
            east: object("networking.k8s.io/v1 Ingress a", "spec: { rules: [{ host: h, http: { paths: [{ path: /a }] } }] }"),
            west: object("networking.k8s.io/v1 Ingress b", in: "other", "spec: { rules: [{ host: h, http: { paths: [{ path: /b }] } }] }")),
        Finding(
            "no-fixed-addresses", .warning, "Service shop-web/a has 192.0.2.7",
            east: object("v1 Service a", "spec: { externalIPs: [192.0.2.7] }")),
        Finding(
            "network-policies-portable", .warning, "NetworkPolicy shop-web/a names 10.1.0.0/16",
            east: object(
                "networking.k8s.io/v1 NetworkPolicy a",
                "spec: { egress: [{ to: [{ ipBlock: { cidr: 10.1.0.0/16 } }, { ipBlock: { cidr: 0.0.0.0/0 } }] }] }")),
        Finding(
            "not-managed-by-git", .warning, "ConfigMap shop-web/a is Argo CD's",
            east: object("v1 ConfigMap a", metadata: "labels: { argocd.argoproj.io/instance: shop }")),
        Finding(
            "projects-mapped", .warning, "Namespace shop-web is in project c-1:p-2",
            east: object("v1 Namespace shop-web", in: nil, metadata: "annotations: { field.cattle.io/projectId: \"c-1:p-2\" }")),
        Finding(
            "rest-remembered", .ok, "at rest on purpose, and stays so: CronJob shop-db/asleep, VirtualMachine shop-web/vm",
            east: object("kubevirt.io/v1 VirtualMachine vm", "spec: { runStrategy: Halted }")),
        Finding("jobs-settled", .warning, "not known to have ended, and left behind: Job shop-web/j", east: object("batch/v1 Job j")),
        Finding("jobs-settled", .ok, "no job is under way", east: object("batch/v1 Job j", "status: { succeeded: 1 }")),
        Finding(
            "operators-apart", .failed, "Subscription shop-web/kafka serves the whole cluster",
            east: object("operators.coreos.com/v1 OperatorGroup g", "spec: {}") + object("operators.coreos.com/v1alpha1 Subscription kafka")
        ),
        Finding(
            "operators-apart", .warning, "not copied: Subscription shop-web/kafka",
            east: object("operators.coreos.com/v1 OperatorGroup g", "spec: { targetNamespaces: [shop-web] }")
                + object("operators.coreos.com/v1alpha1 Subscription kafka")),
        Finding(
            "one-default-storage-class", .failed, "more than one default storage class: west has a and b",
            west: ["a", "b"].map {
                object(
                    "storage.k8s.io/v1 StorageClass \($0)", in: nil,
                    metadata: "annotations: { storageclass.kubernetes.io/is-default-class: \"true\" }")
            }.joined()),
        Finding(
            "namespaces-settled", .failed, "being removed at west: shop-web",
            west: object("v1 Namespace shop-web", in: nil, "status: { phase: Terminating }")),
        Finding(
            "cluster-objects-equal", .warning, "StorageClass fast differs",
            east: claim("d", "storageClassName: fast") + object("storage.k8s.io/v1 StorageClass fast", in: nil, "provisioner: a"),
            west: object("storage.k8s.io/v1 StorageClass fast", in: nil, "provisioner: b")),
        Finding(
            "cluster-objects-equal", .ok, "nothing that serves the whole cluster differs",
            east: claim("d", "storageClassName: fast") + object("storage.k8s.io/v1 StorageClass fast", in: nil, "provisioner: a"),
            west: object("storage.k8s.io/v1 StorageClass fast", in: nil, "provisioner: a # theirs")),
    ]

    @Test(arguments: findings) func `A check reads both clusters' manifests, and names object and value`(finding: Finding) async throws {
        let world = try EngineWorld()
        if !finding.east.isEmpty { try world.east.add(String(finding.east.dropLast(4))) }
        if !finding.west.isEmpty { try world.west.add(String(finding.west.dropLast(4))) }
        let before = world.observable
        let result = try await result(finding.id, world)
        #expect(result.state == finding.state)
        #expect(result.message == finding.message)
        #expect((result.fix?.isEmpty == false) == (finding.state != .ok))
        #expect((result.next?.hasPrefix("drrunbook ") == true) == (finding.state != .ok))
        #expect(world.observable == before)
    }

    @Test func `Transforms that find nothing to change are named`() async throws {
        var world = try EngineWorld()
        world.inventory.applications[1].transforms = [
            Transform(at: "west", kind: "Deployment", path: "spec.replicas", .set("3")),
            Transform(at: "west", kind: "Deployment", path: "spec.template.spec.containers.*.image", .replace("a", with: "b")),
            Transform(at: "west", kind: "Ingress", name: "door", path: "spec.rules", .delete),
            Transform(at: "east", kind: "Ingress", path: "spec.rules", .delete),
        ]
        let result = try await result("transforms-apply", world)
        #expect(result.state == .warning)
        #expect(
            result.message
                == "no Deployment of storefront has spec.template.spec.containers.*.image, storefront has no Ingress door")
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let id: String
        let message: String
        let breakIt: @Sendable (inout EngineWorld) async throws -> Void
        var testDescription: String { "\(id): \(message)" }

        init(_ id: String, _ message: String, _ breakIt: @escaping @Sendable (inout EngineWorld) async throws -> Void) {
            self.id = id
            self.message = message
            self.breakIt = breakIt
        }
    }

    private static func record(epoch: Int64, risk: Bool) -> Value {
        ["epoch": .integer(epoch), "active": "east", "running": true, "originals": [:], "owned": [], "split_brain_risk": .bool(risk)]
    }

    static let faults: [Fault] = [
        Fault("pair-settled", "west knows east-west as west -> east over vault, dr.yaml as east -> west over vault, both ways") { world in
            let other = ClusterPair(name: "east-west", source: "west", destination: "east", objectStore: "vault", bothWays: false)
            let value = try Value(encoding: other)
            world.west.set { $0.documents[.pair("east-west")] = value }
        },
        Fault("one-store-per-couple", "east-west goes over vault, back between the same clusters over attic") { world in
            world.inventory.pairs.append(
                ClusterPair(name: "back", source: "west", destination: "east", objectStore: "attic", bothWays: false))
        },
        Fault("records-readable", "the record of schedule shop at west cannot be read: ") { world in
            world.west.set { $0.documents[.schedule("shop")] = ["name": 7] }
        },
        Fault("clocks-agree", "it is 2026-03-01T02:00:00.000Z here, but the lock of ledger is from 2026-03-01T03:00:00.000Z") { world in
            try await world.west.lock("ledger", for: LockHolder(run: "other", runbook: "o.lua", host: "there", process: 7))
            world.west.set { state in
                state.locks = state.locks.mapValues {
                    ApplicationLock(application: $0.application, holder: $0.holder, since: $0.since + .seconds(3600), alive: true)
                }
            }
        },
        Fault("locks-live", "left by a run that is gone: ledger at west by run other") { world in
            try await world.west.lock("ledger", for: LockHolder(run: "other", runbook: "o.lua", host: "there", process: 7))
            world.west.set { state in
                state.locks = state.locks.mapValues {
                    ApplicationLock(application: $0.application, holder: $0.holder, since: $0.since, alive: false)
                }
            }
        },
        Fault(
            "risk-settled", "its former cluster was never seen to be cut off: ledger, active at east since epoch 2"
        ) { world in
            world.east.set { $0.documents[.application("ledger")] = record(epoch: 2, risk: true) }
        },
        Fault("divergence-seen", "may hold data that nobody else has: ledger at west, where it lost epoch 3") { world in
            world.west.set { $0.documents[DocumentPath("deposed", "ledger")] = ["epoch": 3] }
        },
        Fault("scheduled", "nothing copies ledger, nothing copies storefront") { $0.inventory.schedules = [] },
        Fault("scheduled", "schedule shop of ledger is suspended, schedule shop of storefront is suspended") {
            $0.inventory.schedules[0].suspended = true
        },
        Fault("scheduled", "ledger is copied every 1h, its RPO target is 15m") { world in
            world.inventory.schedules = [
                Schedule(name: "shop", pair: "east-west", applications: ["ledger", "storefront"], policy: .interval(.seconds(3600)))
            ]
        },
        Fault("schedules-apart", "copied twice over east-west: ledger by extra and shop") { world in
            world.inventory.schedules.append(
                Schedule(name: "extra", pair: "east-west", applications: ["ledger"], policy: .interval(.seconds(60))))
        },
        Fault("recovery-point-verified", "ledger-e1-g1 was read back 10d ago, no scrub has read the whole own copy of ledger for 10d") {
            world in
            try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
            world.clock.advance(by: .seconds(10 * 86_400))
        },
    ]

    @Test(arguments: faults) func `A check reads the records of both clusters`(fault: Fault) async throws {
        var world = try EngineWorld()
        #expect(try await result(fault.id, world).state == .ok)
        try await fault.breakIt(&world)
        let result = try await result(fault.id, world)
        #expect(fault.message.hasSuffix(" ") ? result.message.hasPrefix(fault.message) : result.message == fault.message)
        #expect(result.state == (fault.id == "pair-settled" ? .failed : .warning))
        #expect(result.fix?.isEmpty == false && result.next?.hasPrefix("drrunbook ") == true)
    }

    @Test func `In a disaster manifests are those of the newest recovery point`() async throws {
        let world = try EngineWorld()
        try world.east.add("apiVersion: example.com/v1\nkind: Cache\nmetadata: { name: a, namespace: shop-web }\n")
        try await world.engine().migrate(["storefront"], Spoken("copy", run: "before"))
        let engine = world.engine(["east": BlackHole(name: "east"), "west": world.west])
        for (applications, state) in [(["storefront"], CheckResult.State.failed), (["ledger"], .skipped)] {
            let order = CheckOrder(
                pair: "east-west", applications: try applications.map { try ApplicationName($0) }, only: ["custom-resources-served"],
                withoutSource: true)
            #expect(try await engine.checks(order, Spoken("checks").call).map(\.state) == [state])
        }
    }

    @Test func `Every check has an id and a summary of its own`() {
        let all = ReplicationEngine.checkSummaries
        #expect(all.count >= 45)
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(Set(all.map(\.summary)).count == all.count)
        #expect(all.allSatisfy { $0.summary.hasSuffix(".") && $0.summary.count < 120 })
    }

    private func result(_ id: String, _ world: EngineWorld) async throws -> CheckResult {
        let order = CheckOrder(pair: "east-west", applications: ["ledger", "storefront"], only: [id])
        return try #require(try await world.engine().checks(order, Spoken("checks").call).first)
    }
}
