import DRManifest
import DRModel
import DRSimulation
import Testing

@testable import DRReplication

struct OriginalStateTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let text: String
        let atRest: String
        let stop: String
        var testDescription: String { text }
    }

    private static func object(_ head: String, _ spec: String) -> String {
        let words = head.split(separator: " ")
        return
            "apiVersion: \(words[0])\nkind: \(words[1])\nmetadata:\n  name: x\n  namespace: shop-db\(words.count > 2 ? "\n  annotations: { drrunbook/hold: \(words[2]) }" : "")\n\(spec)"
    }

    static let kinds: [Kind] = [
        Kind(
            text: object("kubevirt.io/v1 VirtualMachine", "spec:\n  runStrategy: Manual # by hand\n"), atRest: "runStrategy: Halted",
            stop: "suspend VirtualMachine shop-db/x @east"),
        Kind(
            text: object("kubevirt.io/v1 VirtualMachine", "spec:\n  running: true\n"), atRest: "running: false",
            stop: "suspend VirtualMachine shop-db/x @east"),
        Kind(
            text: object("example.com/v1 Cache", "spec:\n  replicas: 5\n"), atRest: "replicas: 0", stop: "scale Cache shop-db/x 5->0 @east"),
        Kind(
            text: object("example.com/v1 Cache", "spec:\n  suspended: false\n"), atRest: "suspended: true",
            stop: "suspend Cache shop-db/x @east"),
        Kind(
            text: object("example.com/v1 Cache spec.shutdown=true", "spec:\n  size: 3\n"), atRest: "shutdown: true",
            stop: "suspend Cache shop-db/x @east"),
        Kind(
            text: object("example.com/v1 Cache spec.power=Off", "spec:\n  power: 'On'\n"), atRest: "power: 'Off'",
            stop: "suspend Cache shop-db/x @east"),
        Kind(
            text: object("apps/v1 DaemonSet", "spec:\n  template:\n    spec:\n      containers: []\n"), atRest: "drrunbook/held",
            stop: "suspend DaemonSet shop-db/x @east"),
        Kind(
            text: object(
                "apps/v1 DaemonSet", "spec:\n  template:\n    spec:\n      nodeSelector:\n        disk: ssd\n      containers: []\n"),
            atRest: "drrunbook/held", stop: "suspend DaemonSet shop-db/x @east"),
    ]

    @Test(arguments: kinds) func `Whatever runs is put at rest and comes back byte for byte, at home and at the other cluster`(kind: Kind)
        async throws
    {
        let world = try EngineWorld()
        try world.east.add(kind.text)
        let engine = world.engine()
        let name = try #require(try Manifest.parse(kind.text, file: "x.yaml").first?.key.kind)
        let stopped = Spoken("stop")
        try await engine.stop("ledger", stopped)
        #expect(stopped.texts.contains(kind.stop))
        #expect(world.east.text(name, "x")?.contains(kind.atRest) == true)
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        try await engine.activate("ledger", .planned, Spoken("activate"))
        try await engine.release(run: "run-1")
        #expect(world.west.text(name, "x") == kind.text)
        #expect(world.east.text(name, "x")?.contains(kind.atRest) == true)
        try await engine.move("ledger", reversed: true, run: "back")
        #expect(world.east.text(name, "x") == kind.text)
        // The way back from a stop.
        try await engine.stop("ledger", Spoken("again", run: "again"))
        try await engine.restart("ledger", Spoken("undo", run: "again"))
        #expect(world.east.text(name, "x") == kind.text)
    }

    @Test(arguments: [
        ("VirtualMachine", object("kubevirt.io/v1 VirtualMachine", "spec:\n  runStrategy: Halted\n")),
        ("Cache", object("example.com/v1 Cache", "spec:\n  suspend: true\n")),
        ("Deployment", object("apps/v1 Deployment", "spec:\n  replicas: 0\n")),
    ]) func `What was at rest on purpose stays at rest`(kind: String, text: String) async throws {
        let world = try EngineWorld()
        try world.east.add(text)
        let (_, effects) = try await world.engine().move("ledger")
        #expect(world.west.text(kind, "x") == text)
        #expect(!effects.contains { $0.hasPrefix("scale \(kind)") || $0.hasPrefix("resume \(kind)") || $0.hasPrefix("suspend \(kind)") })
    }
}
