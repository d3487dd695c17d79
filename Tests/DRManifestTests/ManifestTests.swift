import DRManifest
import DRModel
import Testing

struct ManifestTests {
    static let statefulSet = """
        # The database. Mind the mode below.
        apiVersion: apps/v1
        kind: StatefulSet
        metadata:
          name: pg   # one of a kind
          namespace: shop-db
          labels: { app: "pg", tier: 'data' }
        spec:
          replicas:   3   # was 5
          template:
            spec:
              containers:
                - { name: pg, ports: [{ containerPort: 5432 }], env: [{ name: NO, value: on }, { name: TIME, value: 22:22 }] }
              volumes:
                - name: data
                  persistentVolumeClaim: { claimName: data-pg-0 }
                - configMap: { name: pg, defaultMode: 0644 }
                  name: config
          volumeClaimTemplates:
            - metadata: { name: data }

        """

    private func one(_ text: String) throws -> Manifest { try #require(try Manifest.parse(text, file: "a.yaml").first) }
    private func object(_ kind: String, _ version: String, _ spec: String) -> String {
        "apiVersion: \(version)\nkind: \(kind)\nmetadata:\n  name: x\n\(spec)"
    }

    @Test func `a manifest knows its object`() throws {
        let manifest = try one(Self.statefulSet)
        #expect(manifest.key == ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-db", name: "pg"))
        #expect(manifest.object.labels == ["app": "pg", "tier": "data"])
        #expect(manifest.text == Self.statefulSet)
        #expect(manifest.replicas == 3)
        #expect(manifest.claims == ["data-pg-0"])
        #expect(manifest.claimTemplates == ["data"])
    }

    @Test func `an object that shares its text with another cluster's names its own file and line in errors`() throws {
        let east = try #require(try Manifest.parse("# a\n---\n" + Self.statefulSet, file: "east/pg.yaml").first)
        var object = east.object
        object.location = SourceLocation(file: "west/pg.yaml", line: 11)
        let west = try Manifest(object)
        #expect(west.root[["spec", "replicas"]]?.location == SourceLocation(file: "west/pg.yaml", line: 19, column: 15))
        #expect(west.root.entries?.map(\.keyLocation.line) == [12, 13, 14, 18])
        let error = #expect(throws: DRError.self) { try west.setting(["spec", "template"], to: "x") }
        #expect(error?.location?.file == "west/pg.yaml")
        #expect(try west.scaled(to: 0).root.location.file == "west/pg.yaml")
        #expect(
            try Manifest(east.object).root[["spec", "replicas"]]?.location == SourceLocation(file: "east/pg.yaml", line: 11, column: 15))
    }

    @Test func `an edit changes the bytes of that scalar alone`() throws {
        let changed = try one(Self.statefulSet).setting(["spec", "replicas"], to: "0")
        #expect(changed.text == Self.statefulSet.replacing("replicas:   3   #", with: "replicas:   0   #"))
        #expect(changed.replicas == 0)
        #expect(try changed.scaled(to: 3).text == Self.statefulSet)
    }

    @Test(arguments: [
        "spec:\n  replicas: 3 # three\n  template:\n    ports: [80, 443]\n  after: x\n",
        "spec: { replicas: 3, template: { ports: [80, 443] }, after: x }\n",
        "spec:\r\n  replicas: 3\r\n  template:\r\n    ports:\r\n    - 80\r\n    - 443\r\n  after: x\r\n",
        "spec:\n  replicas: &n 3\n  template:\n    ports: [80, 443]\n  after: x\n  same: *n\n",
    ])
    func `digits in the place of digits leave every other node where it was, so that the next edit finds it`(spec: String) throws {
        let manifest = try one(object("Thing", "example.com/v1", spec))
        let changed = try manifest.setting(["spec", "template", "ports", "1"], to: "993").setting(
            ["spec", "template", "ports", "1"], to: "995")
        let again = try one(changed.text)
        #expect(again.scalar(at: ["spec", "template", "ports", "1"]) == "995")
        #expect(changed.root.hasSameContent(as: again.root))
        for path in [["spec", "after"], ["spec", "template", "new"], ["spec", "replicas"]] {
            func edited(_ manifest: Manifest) -> String? { try? manifest.setting(path, to: "7").removing(["spec", "after"]).text }
            #expect(edited(changed) == edited(again))
        }
        if spec.contains("&n") { #expect(throws: DRError.self) { try manifest.setting(["spec", "replicas"], to: "5") } }
    }

    @Test func `what an edit makes of a text is read once, and so is what takes it back`() throws {
        let manifest = try one(Self.statefulSet)
        let held = try manifest.scaled(to: 0)
        #expect(try manifest.scaled(to: 0).object.known === held.object.known)
        #expect(try held.scaled(to: 3).object.known === manifest.object.known)
        #expect(try held.scaled(to: 3).object.known === manifest.object.known)
        #expect(try held.scaled(to: 4).text == Self.statefulSet.replacing("replicas:   3   #", with: "replicas:   4   #"))
        // Where an object stands says nothing of its text.
        var elsewhere = held.object
        elsewhere.location = nil
        let back = try Manifest(elsewhere).scaled(to: 3)
        #expect(back.object.known === manifest.object.known)
        #expect(back.object.location?.file == "StatefulSet shop-db/pg")
    }

    @Test func `an object says what its text says, whoever made the same edit before`() throws {
        let manifest = try one(Self.statefulSet)
        for _ in 1...2 {
            let renamed = try manifest.setting(["metadata", "namespace"], to: "shop-dr")
            #expect(renamed.key == ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-dr", name: "pg"))
            let relabelled = try manifest.setting(["metadata", "labels", "tier"], to: "cache")
            #expect(relabelled.object.labels == ["app": "pg", "tier": "cache"])
            #expect(try manifest.removing(["metadata", "labels", "tier"]).object.labels == ["app": "pg"])
        }
    }

    @Test func `texts that know each other go when nobody needs them`() throws {
        weak var first: ManifestText?
        weak var second: ManifestText?
        do {
            let manifest = try one(Self.statefulSet)
            let held = try manifest.scaled(to: 0)
            (first, second) = (manifest.object.known, held.object.known)
            _ = try held.scaled(to: 3).scaled(to: 0).scaled(to: 3)
            #expect(first != nil && second != nil)
        }
        #expect(first == nil && second == nil)
    }

    @Test(arguments: [
        ("spec:\n    serviceName: x\n", "spec:\n    replicas: 0\n    serviceName: x\n"),
        ("spec: # all\n  # the service\n  serviceName: x\n", "spec: # all\n  replicas: 0\n  # the service\n  serviceName: x\n"),
        ("spec: { a: 1 } # end\n", "spec: {replicas: 0,  a: 1 } # end\n"),
        ("spec: {}\n", "spec: {replicas: 0}\n"),
        ("spec:\n", "spec:\n  replicas: 0\n"),
        ("spec: null\n", "spec: \n  replicas: 0\n"),
        ("", "spec:\n  replicas: 0\n"),
        ("spec:\r\n  a: 1\r\n", "spec:\r\n  replicas: 0\r\n  a: 1\r\n"),
        ("spec: &s\n  a: 1\nother: 2", "spec: &s\n  replicas: 0\n  a: 1\nother: 2"),
        ("spec:\n  replicas: \"2\"\n", nil),
        ("spec:\n  replicas:\n", "spec:\n  replicas: 0\n"),
        ("spec:\n  replicas: ~ # all\n", "spec:\n  replicas: 0 # all\n"),
        ("spec: {replicas: }\n", "spec: {replicas: 0}\n"),
        ("spec:\n  replicas: !!int &n 2\n", "spec:\n  replicas: !!int &n 0\n"),
    ])
    func `a missing key is inserted in the style of its file`(spec: String, expected: String?) throws {
        let crlf = spec.utf8.contains(0x0D)
        let text = object("Deployment", "apps/v1", spec)
        let input = crlf ? text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n") : text
        guard let expected else {
            #expect(throws: DRError.self) { try one(input) }
            return
        }
        let whole = object("Deployment", "apps/v1", expected)
        #expect(
            try one(input).scaled(to: 0).text.utf8.elementsEqual(
                (crlf ? whole.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n") : whole).utf8))
    }

    @Test func `JSON is edited as JSON`() throws {
        let text =
            #"{"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x", "namespace": "n"}, "spec": {"schedule": "* * * * *"}}"#
        let manifest = try one(text)
        #expect(manifest.isSuspended == false)
        let changed = try manifest.suspended(true)
        #expect(changed.text.contains(#""spec": {"suspend": true, "schedule""#))
        #expect(try changed.suspended(false).text == text.replacing(#""spec": {"#, with: #""spec": {"suspend": false, "#))
    }

    @Test func `quotes stay and what needs quotes gets them`() throws {
        let manifest = try one(object("PersistentVolumeClaim", "v1", "spec:\n  volumeName: 'a'\n  b: \"x\" # y\n  c: plain\n"))
        #expect(manifest.volumeName == "a")
        let changed = try manifest.setting(["spec", "volumeName"], to: "it's").setting(["spec", "b"], to: "q\"\n").setting(
            ["spec", "c"], to: "a: b")
        #expect(changed.text.hasSuffix("spec:\n  volumeName: 'it''s'\n  b: \"q\\\"\\n\" # y\n  c: \"a: b\"\n"))
        #expect(changed.scalar(at: ["spec", "c"]) == "a: b")
    }

    @Test func `what cannot be changed alone is refused`() throws {
        let shared = try one(object("Deployment", "apps/v1", "base: &b { replicas: 2 }\nspec: *b\n"))
        #expect(shared.replicas == 2)
        #expect(throws: DRError.self) { try shared.scaled(to: 0) }
        let merged = try one(object("Deployment", "apps/v1", "base: &b\n  replicas: 2\nspec:\n  <<: *b\n  a: 1\n"))
        #expect(throws: DRError.self) { try merged.scaled(to: 0) }
        let block = try one(object("ConfigMap", "v1", "data:\n  a: |\n    x\n"))
        #expect(throws: DRError.self) { try block.setting(["data", "a"], to: "y") }
        #expect(throws: DRError.self) { try block.setting(["data"], to: "y") }
    }

    @Test(arguments: [
        ("kind: Pod\nmetadata: { name: a }\n", "bad.yaml:1", "no apiVersion"),
        ("apiVersion: v1\nmetadata: { name: a }\n", "bad.yaml:1", "no kind"),
        ("apiVersion: v1\nkinds: Pod\nmetadata: { name: a }\n", "bad.yaml:1", "did you mean \"kinds\"?"),
        ("apiVersion: v1\nkind: Pod\n", "bad.yaml:1", "no metadata"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {}\n", "bad.yaml:4", "no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: ../../etc\n", "bad.yaml:4", "not a valid name"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: a/b\n", "bad.yaml:5", "not a valid namespace"),
        ("apiVersion: v1\nkind: ../x\nmetadata: { name: a }\n", "bad.yaml:2", "not a valid kind"),
        ("apiVersion: a/\nkind: Pod\nmetadata: { name: a }\n", "bad.yaml:1", "not a valid apiVersion"),
        ("apiVersion: v1\nkind: List\nitems: []\n", "bad.yaml:2", "List of objects"),
        ("- a\n", "bad.yaml:1", "a Kubernetes object is a map"),
        ("just text\n", "bad.yaml:1", "a Kubernetes object is a map"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { replicas: -1 }\n", "bad.yaml:4", "spec.replicas: expected"),
        ("apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: a }\nspec: { suspend: maybe }\n", "bad.yaml:4", "true or false"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n---\nkind: Pod\napiVersion: v1\nmetadata: { name: a }\n", "bad.yaml:5",
            "stands twice"
        ),
    ])
    func `G8 a bad manifest is named with file and line`(text: String, place: String, words: String) throws {
        let error = try #require(throws: DRError.self) { try Manifest.parse(text, file: "bad.yaml") }
        #expect(error.code == .invalidInput)
        #expect(error.location?.description == place)
        #expect(error.description.contains(words), "\(error)")
    }

    @Test func `kinds of namespaces and odd names are known`() throws {
        #expect(try one(object("Deployment", "apps/v1", "")).key.namespace == "default")
        #expect(try one(object("Deployment", "apps/v1", "")).replicas == 1)
        #expect(try one(object("PersistentVolume", "v1", "")).key.namespace == nil)
        #expect(try one(object("Job", "batch/v1", "")).replicas == nil)
        let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: \"system:Node\" }\n"
        #expect(try one(role).key.name == "system:Node")
    }
}
