internal import DRSupport
internal import DRModel

struct Get: DRAction {
    static let spec = ActionSpec(
        "get", summary: "One object of a cluster as a table; nil when it is not there.", effect: .observes,
        example: #"local pg = dr.get { cluster = "west", kind = "StatefulSet", namespace = "shop-db", name = "pg" }"#)
    @Parameter("The cluster.") var cluster: ClusterReference
    @Parameter("Its kind, such as StatefulSet; with the group where it is not clear: Backup.velero.io.") var kind: String
    @Parameter("Its namespace; not said for objects of the whole cluster.") var namespace: String?
    @Parameter("Its name.") var name: String

    func perform(in context: ActionContext) async throws -> Value {
        try await context.engine.objects(
            ObjectOrder(cluster: cluster.name, kind: kind, namespace: namespace, name: name), context.call
        ).first ?? .null
    }
}

struct List: DRAction {
    static let spec = ActionSpec(
        "list", summary: "The objects of one kind at a cluster, as tables, by name.", effect: .observes,
        example:
            #"for _, s in ipairs(dr.list { cluster = "west", kind = "Service", namespace = "shop-web" }) do dr.log(s.metadata.name) end"#)
    @Parameter("The cluster.") var cluster: ClusterReference
    @Parameter("Their kind.") var kind: String
    @Parameter("Only of this namespace.") var namespace: String?

    func perform(in context: ActionContext) async throws -> Value {
        .list(try await context.engine.objects(ObjectOrder(cluster: cluster.name, kind: kind, namespace: namespace), context.call))
    }
}

struct WaitReady: DRAction {
    static let spec = ActionSpec(
        "wait_ready", summary: "Waits until an object is ready: a workload's processes answer, or its status has the condition.",
        effect: .observes,
        example: #"dr.wait_ready { cluster = "west", kind = "StatefulSet", namespace = "shop-db", name = "pg", timeout = "5m" }"#,
        estimates: ["ready_at"])
    @Parameter("The cluster.") var cluster: ClusterReference
    @Parameter("Its kind.") var kind: String
    @Parameter("Its namespace.") var namespace: String?
    @Parameter("Its name.") var name: String
    @Parameter("The condition of its status that must be True.", default: "Ready") var condition: String
    @Parameter("How long it is waited for.", default: .seconds(300)) var timeout: Duration

    func perform(in context: ActionContext) async throws -> Value {
        let order = ObjectOrder(cluster: cluster.name, kind: kind, namespace: namespace, name: name)
        let ready = try await context.engine.waitReady(order, condition: condition, timeout: timeout, context.call)
        return ["ready_at": .instant(ready)]
    }
}

struct Patch: DRAction {
    static let spec = ActionSpec(
        "patch", summary: "Sets single values of an application's object where it is live; returns the patch that takes it back.",
        effect: .changes,
        example:
            #"local p = dr.patch { cluster = "west", application = "storefront", kind = "ConfigMap", namespace = "shop-web", name = "web", patch = { data = { mode = "read-only" } } }"#
    )
    @Parameter("The cluster.") var cluster: ClusterReference
    @Parameter("The application it belongs to.") var application: ApplicationReference
    @Parameter("Its kind.") var kind: String
    @Parameter("Its namespace.") var namespace: String?
    @Parameter("Its name.") var name: String
    @Parameter("A table like the object: what it names is set, dr.json.null removes.") var patch: PlainValue

    func perform(in context: ActionContext) async throws -> PatchReport {
        let object = ObjectOrder(cluster: cluster.name, kind: kind, namespace: namespace, name: name)
        return try await context.engine.patch(
            PatchOrder(object: object, application: application.name, patch: patch.value), context.call)
    }
}

/// A cluster of dr.yaml.
struct ClusterReference: ParameterType, Hashable {
    let name: ClusterName

    static var expectation: String { "the name of a cluster" }
    static var luaType: String { "string" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        let known = surroundings.inventory.clusters
        guard let name = known.first(where: { $0.text == text }) else {
            throw DRError(
                .unknownName, "there is no cluster \"\(text)\"\(Spelling.hint(for: text, in: known.map(\.text)))",
                hint: "known clusters: \(known.map(\.text).sorted().joined(separator: ", "))")
        }
        self.name = name
    }

    var parameterValue: Value { .string(name.text) }
}
