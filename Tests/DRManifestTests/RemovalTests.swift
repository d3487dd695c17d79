import DRManifest
import DRModel
import Testing

struct RemovalTests {
    private func removing(_ path: String, from text: String) throws -> String {
        let manifest = try #require(try Manifest.parse(text, file: "a.yaml").first)
        return try manifest.removing(path.split(separator: ".").map(String.init)).text
    }

    private static let service = """
        # the shop's door
        apiVersion: v1
        kind: Service
        metadata:
          name: web
          uid: 1-2-3   # theirs
          annotations:
            a: "1"
        spec:
          clusterIP: 10.0.0.1
          clusterIPs:
          - 10.0.0.1
          ports:
            - port: 80 # http
              nodePort: 30080
            - { port: 443, nodePort: 30443 }
        status:
          loadBalancer: {}

        """

    struct Case: Sendable, CustomTestStringConvertible {
        let path: String
        let gone: String
        var testDescription: String { path }
    }

    @Test(arguments: [
        Case(path: "metadata.uid", gone: "  uid: 1-2-3   # theirs\n"),
        Case(path: "metadata.annotations.a", gone: "  annotations:\n    a: \"1\"\n"),
        Case(path: "spec.clusterIP", gone: "  clusterIP: 10.0.0.1\n"),
        Case(path: "spec.clusterIPs", gone: "  clusterIPs:\n  - 10.0.0.1\n"),
        Case(path: "spec.clusterIPs.0", gone: "  clusterIPs:\n  - 10.0.0.1\n"),
        Case(path: "spec.ports.0.nodePort", gone: "      nodePort: 30080\n"),
        Case(path: "spec.ports.1.nodePort", gone: ", nodePort: 30443"),
        Case(path: "spec.ports.1.port", gone: "port: 443, "),
        Case(path: "spec.ports.0", gone: "    - port: 80 # http\n      nodePort: 30080\n"),
        Case(path: "spec.ports.1", gone: "    - { port: 443, nodePort: 30443 }\n"),
        Case(path: "status", gone: "status:\n  loadBalancer: {}\n"),
        Case(path: "spec.nothing", gone: ""),
    ])
    func `Removing a key takes its own bytes and no other, and the map it would leave empty`(removal: Case) throws {
        #expect(Self.service.contains(removal.gone) || removal.gone.isEmpty)
        let expected = removal.gone.isEmpty ? Self.service : Self.service.replacing(removal.gone, with: "")
        #expect(try removing(removal.path, from: Self.service) == expected)
    }

    @Test func `A JSON manifest is no different`() throws {
        let text = #"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "uid": "1"}, "status": {"a": [1, {"b": "}"}]}}"#
        #expect(try removing("status", from: text) == text.replacing(#", "status": {"a": [1, {"b": "}"}]}"#, with: ""))
        #expect(try removing("metadata.uid", from: text) == text.replacing(#", "uid": "1""#, with: ""))
        #expect(try removing("status.a.1", from: text) == text.replacing(#", {"b": "}"}"#, with: ""))
    }

    @Test func `What stands elsewhere and is only named here is refused, with its place`() throws {
        let text = """
            apiVersion: v1
            kind: Service
            metadata: { name: web }
            base: &base { clusterIP: 10.0.0.1, type: ClusterIP }
            spec: *base

            """
        let error = #expect(throws: DRError.self) { try removing("spec.clusterIP", from: text) }
        #expect(error?.code == .invalidInput)
        #expect(error?.location?.file == "a.yaml")
    }

    @Test func `The same object in another style, with another status, is the same object`() throws {
        let one = try #require(try Manifest.parse(Self.service, file: "a.yaml").first)
        let other = try one.removing(["status"]).removing(["metadata", "uid"])
        #expect(one.isSame(as: other))
        #expect(other.isSame(as: one))
        #expect(!one.isSame(as: try one.setting(["spec", "clusterIP"], to: "10.0.0.2")))
    }
}
