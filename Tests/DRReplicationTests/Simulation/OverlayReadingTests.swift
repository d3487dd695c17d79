import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// What a plan sees of many objects, of which it has changed some.
struct OverlayReadingTests {
    private static let site = """
        apiVersion: v1
        kind: Namespace
        metadata: { name: web }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: door, namespace: web }
        spec: { ports: [{ port: 80, nodePort: 30080 }] }
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: { name: data, namespace: web }
        spec: { volumeName: web-data }
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata: { name: web-data }
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata: { name: new-data }

        """

    private func overlay(_ base: any Cluster) throws -> any Cluster {
        try #require(Overlay(clusters: ["west": base], clock: VirtualClock(Instant(nanosecondsSince1970: 0))).clusters["west"])
    }

    private func change(_ cluster: any Cluster, _ kind: String, _ name: String, _ old: String, _ new: String) async throws {
        let found = try #require(await cluster.object(ObjectKey(kind: kind, namespace: "web", name: name)))
        let text = found.text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
        let changed = ManifestObject(key: found.key, labels: found.labels, annotations: found.annotations, text: text)
        _ = try await cluster.commit(Transaction(OperationKey("plan/\(kind)"), changes: [.put(changed)]))
    }

    @Test func `What was changed by a plan is found by what it is now, and by nothing that it was`() async throws {
        let memory = MemoryCluster("west", clock: VirtualClock(Instant(nanosecondsSince1970: 0)))
        try memory.add(Self.site)
        let plan = try overlay(memory)
        func having(_ things: String...) async throws -> [String] {
            try await plan.objects(.having(Set(things))).map(\.key.description)
        }
        #expect(try await having("node port 30080", "volume web-data") == ["PersistentVolumeClaim web/data", "Service web/door"])
        try await change(plan, "Service", "door", "30080", "30081")
        #expect(try await having("node port 30080") == [])
        #expect(try await having("node port 30081") == ["Service web/door"])
        let service = ObjectKey(kind: "Service", namespace: "web", name: "door")
        _ = try await plan.commit(Transaction(OperationKey("plan/delete"), changes: [.delete(service)]))
        #expect(try await having("node port 30081") == [])
        #expect(try await plan.objects(.kinds(["Service"])).isEmpty)
        #expect(try await plan.objects(.keys([service])).isEmpty)
        #expect(try await memory.objects(.having(["node port 30080"])).map(\.key) == [service])
    }

    @Test func `An application of a plan has the volume that its claim names since the plan changed it`() async throws {
        let memory = MemoryCluster("west", clock: VirtualClock(Instant(nanosecondsSince1970: 0)))
        try memory.add(Self.site)
        let plan = try overlay(memory)
        func volumes() async throws -> [String] {
            try await plan.objects(of: Application(name: "web", namespaces: ["web"])).filter { $0.key.kind == "PersistentVolume" }
                .map(\.key.name)
        }
        #expect(try await volumes() == ["web-data"])
        try await change(plan, "PersistentVolumeClaim", "data", "web-data", "new-data")
        #expect(try await volumes() == ["new-data"])
        _ = try await plan.commit(
            Transaction(OperationKey("plan/gone"), changes: [.delete(ObjectKey(kind: "PersistentVolume", name: "new-data"))]))
        #expect(try await volumes() == [])
    }

    @Test func `Locks of some applications are those of all, a plan's before what stands there`() async throws {
        let memory = MemoryCluster("west", clock: VirtualClock(Instant(nanosecondsSince1970: 0)))
        func holder(_ run: RunID) -> LockHolder { LockHolder(run: run, runbook: "r.lua", host: "here", process: 1) }
        for name in ["portal", "ledger"] as [ApplicationName] { try await memory.lock(name, for: holder("other")) }
        let plan = try overlay(memory)
        for name in ["web", "bank", "mail"] as [ApplicationName] { try await plan.lock(name, for: holder("plan")) }
        await #expect(throws: DRError.self) { try await plan.lock("ledger", for: holder("plan")) }
        for names: Set<ApplicationName> in [
            [], ["bank"], ["portal", "bank"], ["web", "nobody"], ["bank", "ledger", "mail", "portal", "web"],
        ] {
            let all = try await plan.locks().filter { names.contains($0.application) }
            #expect(try await plan.locks(of: names) == all)
            #expect(all.map(\.application) == names.subtracting(["nobody"]).sorted())
        }
        #expect(try await plan.locks(of: ["portal", "bank"]).map(\.holder.run) == ["plan", "other"])
    }

    @Test func `Records that a plan wrote or removed are listed in their folder alone`() async throws {
        let memory = MemoryCluster("west", clock: VirtualClock(Instant(nanosecondsSince1970: 0)))
        memory.set { $0.documents[DocumentPath("points", "a", "old")] = [:] }
        let plan = try overlay(memory)
        _ = try await plan.commit(
            Transaction(
                OperationKey("plan/points"),
                changes: [
                    .write(DocumentPath("points", "a", "new"), [:]), .write(DocumentPath("points", "b", "other"), [:]),
                    .remove(DocumentPath("points", "a", "old")),
                ]))
        #expect(try await plan.documents(in: DocumentPath("points", "a")).map(\.text) == ["points/a/new"])
        #expect(try await plan.documents(in: DocumentPath("points", "b")).map(\.text) == ["points/b/other"])
        #expect(try await plan.document(DocumentPath("points", "a", "old")) == nil)
    }

    @Test func `A picture of a folder goes on showing what it showed first, and takes no change`() async throws {
        let fixture = try ClusterFixture()
        let cluster = fixture.cluster()
        let picture = cluster.picture()
        let ledger = Application(name: "ledger", namespaces: ["shop-db"])
        let point = DocumentPath("points", "ledger", "ledger-e1-g1")
        let seen = try await picture.objects(of: ledger)
        #expect(try await picture.document(point) != nil)
        #expect(try await picture.document(.counter) == nil)
        #expect(try await picture.committed(OperationKey("run/2")) == nil)
        let object = try #require(seen.first { $0.key.kind == "StatefulSet" })
        _ = try await cluster.commit(
            Transaction(
                OperationKey("run/2"),
                changes: [
                    .delete(object.key), .write(.counter, ["last": 1]), .remove(point),
                    .write(DocumentPath("points", "web", "web-e1-g1"), [:]),
                ]))
        #expect(try await picture.objects(of: ledger) == seen)
        #expect(try await picture.document(point) != nil)
        #expect(try await picture.document(.counter) == nil)
        #expect(try await picture.documents(in: DocumentPath("points", "ledger")) == [point])
        #expect(try await picture.documents(in: DocumentPath("points", "web")) == [])
        #expect(try await picture.committed(OperationKey("run/2")) == nil)
        let later = cluster.picture()
        #expect(try await later.object(object.key) == nil)
        #expect(try await later.document(.counter)?["last"] == 1)
        #expect(try await later.documents(in: DocumentPath("points", "web")).map(\.text) == ["points/web/web-e1-g1"])
        #expect(try await later.committed(OperationKey("run/2")) != nil)
        await #expect(throws: DRError.self) { try await picture.commit(Transaction(OperationKey("run/3"))) }
    }

    @Test
    func `A picture says of each cluster what was known of its silence first, nothing as well, and a plan's own note counts before it`()
        async throws
    {
        let fixture = try ClusterFixture()
        let cluster = fixture.cluster()
        let began = Instant(nanosecondsSince1970: 1_000_000_000)
        func contact(_ name: ClusterName, _ seconds: Int64) -> SiteContact {
            SiteContact(cluster: name, reached: began, silent: began + .seconds(seconds))
        }
        try await cluster.noteContact(contact("north", 5))
        let picture = cluster.picture()
        #expect(try await picture.contact(with: "north") == contact("north", 5))
        #expect(try await picture.contact(with: "south") == nil)
        try await cluster.noteContact(contact("north", 60))
        try await cluster.noteContact(contact("south", 60))
        #expect(try await picture.contact(with: "north") == contact("north", 5))
        #expect(try await picture.contact(with: "south") == nil)
        #expect(try await cluster.picture().contact(with: "north") == contact("north", 60))
        #expect(try await cluster.picture().contact(with: "south") == contact("south", 60))
        let plan = try overlay(cluster)
        #expect(try await plan.contact(with: "north") == contact("north", 60))
        try await plan.noteContact(contact("north", 90))
        #expect(try await plan.contact(with: "north") == contact("north", 90))
        #expect(try await cluster.contact(with: "north") == contact("north", 60))
    }
}

extension DocumentPath {
    fileprivate static let counter = DocumentPath("counters", "ledger")
}
