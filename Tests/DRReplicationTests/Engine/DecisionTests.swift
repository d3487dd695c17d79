import DRManifest
import DRModel
import Testing

@testable import DRReplication

struct DecisionTests {
    private func point(_ generation: Int64, hour: Int64 = 0, verified: Bool = true, fuzzy: Bool = false) throws -> RecoveryPoint {
        let instant = Instant(nanosecondsSince1970: hour * 3_600_000_000_000)
        return RecoveryPoint(
            id: try PointID("ledger-e1-g\(generation)"), application: "ledger", epoch: .first, generation: generation, source: "east",
            instant: instant, consistency: fuzzy ? .fuzzy : .crash, volumes: [], manifests: ContentToken("m"),
            verifiedAt: verified ? instant : nil)
    }

    @Test func `Retention keeps the newest, and never lets go of the last verified point`() throws {
        let points = try (1...5).map { try point(Int64($0), verified: $0 == 2) }
        let surplus = RetentionRule(retention: Retention(last: 2)).surplus(of: points)
        #expect(surplus.map(\.id) == ["ledger-e1-g1", "ledger-e1-g3"])
        #expect(RetentionRule(retention: Retention(last: 0)).surplus(of: points).map(\.generation) == [1, 3, 4])
    }

    @Test func `Retention keeps one point an hour and a day for as many as it says`() throws {
        let points = try (0..<72).map { try point(Int64($0 + 1), hour: Int64($0)) }
        let surplus = Set(RetentionRule(retention: Retention(last: 1, hourly: 3, daily: 2)).surplus(of: points).map(\.generation))
        #expect(Set(points.map(\.generation)).subtracting(surplus) == [72, 71, 70, 48])
    }

    @Test func `Retention keeps the newest point of a month of the calendar for as many months as it says`() throws {
        // From 1 January 1970, one a day: January has 31, February 28 days.
        let points = try (0..<70).map { try point(Int64($0 + 1), hour: Int64($0) * 24) }
        let surplus = Set(RetentionRule(retention: Retention(last: 1, monthly: 3)).surplus(of: points).map(\.generation))
        #expect(Set(points.map(\.generation)).subtracting(surplus) == [70, 59, 31])
    }

    @Test func `I8 retention never lets go of the last verified point that is an instant, and prefers one in each hour and day`() throws {
        var points: [RecoveryPoint] = []
        for number in 1...5 as ClosedRange<Int64> { points.append(try point(number, verified: number != 3, fuzzy: number > 3)) }
        #expect(RetentionRule(retention: Retention(last: 2)).surplus(of: points).map(\.generation) == [1, 3])
        // In each hour one of four is an instant: the second.
        var many: [RecoveryPoint] = []
        for number in 0..<12 { many.append(try point(Int64(number + 1), hour: Int64(number / 4), fuzzy: number % 4 != 1)) }
        let surplus = RetentionRule(retention: Retention(last: 1, hourly: 3)).surplus(of: many).map(\.generation)
        #expect(Set(many.map(\.generation)).subtracting(surplus) == [12, 10, 6, 2] as Set<Int64>)
    }

    @Test func `A retention that was noted before there were months keeps none of them`() throws {
        let old: Value = ["last": 2, "hourly": 3, "daily": 4, "weekly": 5]
        #expect(try old.decoded(as: Retention.self) == Retention(last: 2, hourly: 3, daily: 4, weekly: 5))
    }

    @Test func `An application's record is written and read by hand as it would be by Codable`() throws {
        var record = ApplicationRecord(
            epoch: Epoch(3), active: "west", running: false, originals: ["Deployment.apps shop/web": "2"], owned: ["Service shop/web"],
            split_brain_risk: true)
        for transformed in [nil, [:], ["Service shop/web": ["/spec/a": ValueChange(was: nil, now: "1")]]] {
            record.transformed = transformed
            #expect(try record.value() == Value(encoding: record))
            #expect(try ApplicationRecord(record.value()) == record)
        }
        guard case .map(let members) = try record.value() else { return }
        for name in members.keys.sorted() {
            for wrong: Value? in [nil, .null, 7, "x", ["a": 1], [1]] {
                var changed = members
                changed[name] = wrong
                let expected = Result { try Value.map(changed).decoded(as: ApplicationRecord.self) }
                let found = Result { try ApplicationRecord(.map(changed)) }
                #expect((try? expected.get()) == (try? found.get()), "\(name) = \(String(describing: wrong))")
            }
        }
    }

    @Test func `Of two records of one epoch the one that names its own cluster leads`() {
        let standing = Standing(
            application: "ledger", home: "east",
            records: [
                "east": ApplicationRecord(epoch: Epoch(2), active: "west", running: false),
                "west": ApplicationRecord(epoch: Epoch(2), active: "west", running: true),
            ])
        #expect(standing.leading.running)
        #expect(throws: DRError.self) { try standing.requireActive(at: "east") }
        #expect(throws: Never.self) { try standing.requireActive(at: "west") }
    }

    @Test func `G1 a destination that only knows points of a younger epoch goes beyond that epoch`() throws {
        var machine = ActivationMachine(
            order: ActivationOrder(pair: "p", application: "ledger", mode: .disaster), target: nil, home: "east", source: "west",
            destination: "south")
        let base = try point(1)
        let young = RecoveryPoint(
            id: "ledger-e3-g1", application: "ledger", epoch: Epoch(3), generation: 1, source: "west", instant: base.instant,
            consistency: .crash, volumes: [], manifests: base.manifests, verifiedAt: base.verifiedAt)
        guard case .settle(let choice) = try machine.handle(.read(.init(points: [young], now: base.instant))) else {
            Issue.record("nothing was chosen")
            return
        }
        #expect(choice.epoch == Epoch(4))
    }

    @Test func `An object's reference can be read back`() {
        for key in [
            ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-db", name: "pg"),
            ObjectKey(kind: "PersistentVolume", name: "pg.data"),
            ObjectKey(group: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:x"),
        ] { #expect(ObjectKey(reference: key.reference) == key) }
        #expect(ObjectKey(reference: "nothing") == nil)
    }

    @Test func `What a cluster makes by itself is not carried, and owners come before what they need last`() throws {
        let yaml = """
            apiVersion: admissionregistration.k8s.io/v1
            kind: ValidatingWebhookConfiguration
            metadata: { name: hook }
            ---
            apiVersion: apps/v1
            kind: ReplicaSet
            metadata:
              name: web-1
              namespace: web
              ownerReferences: [{ kind: Deployment, name: web }]
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: { name: web, namespace: web }
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: { name: web, namespace: web }
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata: { name: default, namespace: web }
            ---
            apiVersion: v1
            kind: Secret
            metadata: { name: default-token-x, namespace: web }
            ---
            apiVersion: v1
            kind: Secret
            metadata: { name: keys, namespace: web }
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: scratch, namespace: web, annotations: { stork.libopenstorage.org/skip-resource: "true" } }
            ---
            apiVersion: v1
            kind: Namespace
            metadata: { name: web }
            """
        let carried = try CarriedObjects.of(try Manifest.parse(yaml, file: "web.yaml").map(\.object))
        #expect(
            carried.map(\.key.description) == [
                "Namespace web", "Secret web/keys", "Deployment web/web", "ValidatingWebhookConfiguration hook",
            ])
    }

    @Test func `The activation machine asks for the fence only after everything is staged, and for nothing at the source in a disaster`()
        throws
    {
        for mode in [ActivationOrder.Mode.planned, .disaster] {
            var machine = ActivationMachine(
                order: ActivationOrder(pair: "p", application: "ledger", mode: mode), target: nil, home: "east", source: "east",
                destination: "west")
            var asked: [String] = []
            var command = machine.begin()
            let volume = PointVolume(name: "pg-data", kind: .filesystem, content: ContentToken("c"), size: .zero)
            let base = try point(1)
            let point = RecoveryPoint(
                id: base.id, application: "ledger", epoch: .first, generation: 1, source: "east", instant: base.instant,
                consistency: .crash,
                volumes: [volume], manifests: base.manifests, verifiedAt: base.verifiedAt, final: true)
            loop: while true {
                let event: ActivationMachine.Event
                switch command {
                case .recall:
                    asked.append("recall")
                    event = .recalled(choice: nil, answer: nil)
                case .read(let source):
                    asked.append(source ? "read both" : "read destination")
                    event = .read(
                        .init(
                            source: source ? ApplicationRecord(epoch: .first, active: "east", running: false) : nil, points: [point],
                            synced: point.id, now: point.instant))
                case .settle(let choice):
                    asked.append("settle")
                    event = .settled(choice)
                case .verify:
                    asked.append("verify")
                    event = .verified
                case .survey:
                    asked.append("survey")
                    event = .surveyed(Survey(manifests: [], existing: [:], ownedByHistory: [], liveVolumes: []))
                case .quiet:
                    asked.append("quiet")
                    event = .quieted
                case .materialise:
                    asked.append("materialise")
                    event = .staged(StagedVolume(volume: volume.name, key: OperationKey("k"), content: volume.content, size: volume.size))
                case .fence(let epoch, _, _):
                    asked.append("fence \(epoch)")
                    event = .fenced
                case .goLive(_, let epoch, let staged, _, let former):
                    asked.append("live \(epoch) \(staged.count) \(former?.rawValue ?? "at risk")")
                    break loop
                case .finish, .already:
                    Issue.record("the machine ended early")
                    break loop
                }
                command = try machine.handle(event)
            }
            let expected =
                mode == .planned
                ? ["recall", "read both", "settle", "survey", "quiet", "materialise", "fence 2", "live 2 1 fenced"]
                : ["recall", "read destination", "settle", "survey", "quiet", "materialise", "live 2 1 at risk"]
            #expect(asked == expected)
        }
    }
}
