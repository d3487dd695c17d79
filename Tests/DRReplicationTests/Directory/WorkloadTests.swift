import DRModel
import DRReplication
import DRSupport
import Glibc
import Testing

struct WorkloadTests {
    private let fixture: ClusterFixture
    private let pg = ManifestObject(key: CommitCrashTests.pg, text: "")

    init() throws { fixture = try ClusterFixture() }

    private func cluster(start: [String] = ["true"], stop: [String] = ["true"], ready: [String] = [], timeout: Duration = .seconds(20))
        throws
        -> DirectoryCluster
    {
        fixture.cluster(
            workloads: try WorkloadCommands(
                start: start, stop: stop, ready: ready, workingDirectory: fixture.temporary.path, timeout: timeout))
    }

    @Test func `a command gets its words as they are and no shell sees them`() async throws {
        let cluster = try cluster(start: [
            "sh", "-c", "printf '%s\\n' \"$@\" >\"$0\"", "said", "{namespace}/{kind}", "{name} x", "{replicas}", "{nothing}", "$(id)",
            "{{name}}",
        ])
        #expect(try await cluster.workload(.start, pg, replicas: 3) == .starting)
        let text = try fixture.read("../said")
        #expect(text == "shop-db/StatefulSet\npg x\n3\n{nothing}\n$(id)\n{pg}\n")
    }

    @Test func `a command finds in its environment who it is run as, and no secret of the host's`() async throws {
        setenv("TOKEN_OF_THE_HOST", "top-secret-value", 1)
        defer { unsetenv("TOKEN_OF_THE_HOST") }
        _ = try await cluster(start: ["sh", "-c", "env >environment"]).workload(.start, pg, replicas: 1)
        let lines = try #require(try fixture.read("../environment")).split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("PATH=") } && lines.contains { $0.hasPrefix("HOME=") })
        #expect(!lines.contains { $0.hasPrefix("TOKEN_OF_THE_HOST") })
    }

    @Test func `ready is what the command's exit status says`() async throws {
        #expect(try await cluster(ready: ["true"]).workload(.ready, pg, replicas: 1) == .ready)
        #expect(try await cluster(ready: ["false"]).workload(.ready, pg, replicas: 1) == .starting)
        #expect(try await cluster(ready: ["no-such-program"]).workload(.ready, pg, replicas: 1) == .starting)
        #expect(try await cluster().workload(.ready, pg, replicas: 1) == .ready)
        #expect(try await cluster().workload(.stop, pg, replicas: 1) == .stopped)
    }

    @Test func `a command that fails is named with its status and first lines`() async throws {
        let cluster = try cluster(stop: ["sh", "-c", "echo one >&2; echo two >&2; echo noise; exit 3"])
        let failed = await #expect(throws: DRError.self) { try await cluster.workload(.stop, pg, replicas: 1) }
        #expect(failed?.code == .workloadFailed)
        #expect(failed?.message.hasPrefix("StatefulSet shop-db/pg does not stop at west: `sh -c ") == true)
        #expect(failed?.message.hasSuffix("exited with status 3: one / two") == true)
        #expect(failed?.details?["code"] == 3)
        let missing = try self.cluster(start: ["no-such-program"])
        let unknown = await #expect(throws: DRError.self) { try await missing.workload(.start, pg, replicas: 1) }
        #expect(unknown?.message.contains("cannot start no-such-program") == true)
        let killed = try self.cluster(start: ["sh", "-c", "kill -9 $$"])
        #expect(await #expect(throws: DRError.self) { try await killed.workload(.start, pg, replicas: 1) }?.details?["code"] == 137)
    }

    @Test func `what a command leaves running does not hold us up`() async throws {
        let cluster = try cluster(start: ["sh", "-c", "sleep 30 & echo $! >child"])
        let clock = ContinuousClock()
        let began = clock.now
        #expect(try await cluster.workload(.start, pg, replicas: 1) == .starting)
        #expect(clock.now - began < .seconds(10))
        _ = try await self.cluster(stop: ["sh", "-c", "kill $(cat child)"]).workload(.stop, pg, replicas: 1)
    }

    @Test func `a command that hangs is killed with what it started`() async throws {
        let cluster = try cluster(stop: ["sh", "-c", "sleep 60 & echo $! >child; wait"], timeout: .milliseconds(300))
        let failed = await #expect(throws: DRError.self) { try await cluster.workload(.stop, pg, replicas: 1) }
        #expect(failed?.message.contains("took too long and was killed") == true)
        let gone = ["sh", "-c", "kill -0 $(cat child) 2>/dev/null && [ \"$(cut -d' ' -f3 /proc/$(cat child)/stat)\" != Z ]"]
        #expect(try await self.cluster(ready: gone).workload(.ready, pg, replicas: 1) == .starting)
    }

    @Test func `much output is cut and no input waits`() async throws {
        let cluster = try cluster(start: ["sh", "-c", "cat; head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1"])
        let failed = await #expect(throws: DRError.self) { try await cluster.workload(.start, pg, replicas: 1) }
        #expect(failed?.details?["output"].string?.utf8.count == 16 << 10)
    }

    @Test func `start and stop are needed together`() {
        #expect(throws: DRError.self) { try WorkloadCommands(start: ["a"], stop: [], workingDirectory: "/") }
    }

    private func named(_ names: [String]) -> [(object: ManifestObject, replicas: Int)] {
        names.map { (ManifestObject(key: ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-db", name: $0), text: ""), 1) }
    }

    @Test func `commands of several workloads run side by side, and their answers are in the order in which they were asked for`()
        async throws
    {
        // Each waits until all of them run: one after the other they would never end well.
        let meeting = "echo >here-$0; for i in $(seq 300); do [ $(ls here-* | wc -l) = 3 ] && exit 0; sleep 0.05; done; exit 1"
        let cluster = try cluster(start: ["sh", "-c", meeting, "{name}"], ready: ["test", "{name}", "=", "b"])
        #expect(try await cluster.perform(.start, named(["a", "b", "c"])) == [.starting, .starting, .starting])
        #expect(try await cluster.perform(.ready, named(["a", "b", "c"])) == [.starting, .ready, .starting])
        #expect(try await cluster.perform(.ready, []).isEmpty)
    }

    @Test func `of several commands that fail the first in the order asked for is told, when all have ended`() async throws {
        let stop = "[ $0 = a ] || { while [ ! -e ended-c ] && [ $0 = b ]; do sleep 0.05; done; echo >ended-$0; exit 3; }"
        let cluster = try cluster(stop: ["sh", "-c", stop, "{name}"])
        let failed = await #expect(throws: DRError.self) { try await cluster.perform(.stop, named(["a", "b", "c"])) }
        #expect(failed?.message.hasPrefix("StatefulSet shop-db/b does not stop") == true)
        #expect(try fixture.read("../ended-b") != nil && fixture.read("../ended-c") != nil)
    }
}
