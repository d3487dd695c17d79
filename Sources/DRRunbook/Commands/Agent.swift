import ArgumentParser
import DRHost
import DRModel
import DRSupport

struct Agent: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watches over one cluster, at its side: stops there what lives elsewhere by now.",
        discussion: """
            It tells the other clusters every few seconds that it is there. What went live elsewhere in a newer epoch is stopped here; and where dr.yaml \
            says selfFence for the cluster, everything is stopped when no other cluster could be reached for so long, and started again when it can and \
            nobody took it over. A disaster failover waits for that. The cluster's fence command is run for each application that is stopped.

            An agent that ends takes back what it promised; where it cannot tell a cluster for 15 s, it stops what that cluster relies on, and exits with 8. A \
            second signal ends it at once, and nobody stops anything then. A single round (--once) promises nothing.

            When a cluster is gone for good, what was stopped for its sake stays stopped until a person says so with --resume: it runs here again in a new \
            epoch. Should the other cluster live after all, both serve until it is deposed: by its own agent, or by the first copy it receives.

            EXAMPLE
              drrunbook agent east
              drrunbook agent east --resume --reason "west burnt down" --yes
            """)

    @Argument(help: "The cluster.") var cluster: ClusterName
    @Flag(name: .long, help: "One round; exit status 1 when something could not be stopped.") var once = false
    @Flag(name: .long, help: "Starts what the agent stopped, though clusters do not answer.") var resume = false
    @Option(name: .long, help: "Why they are taken for gone.") var reason: String?
    @Flag(name: .long, help: "Yes, they are gone.") var yes = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if resume, reason?.isEmpty ?? true {
            throw ValidationError("--resume needs --reason TEXT: why the other cluster is taken for gone")
        }
        if !resume, reason != nil || yes { throw ValidationError("--reason and --yes go with --resume") }
    }

    func perform(_ output: Output) async throws -> ExitStatus {
        if resume { return try await resumeAlone(output) }
        StopSignal.listen()
        return try await withHost { host in
            let selfFence = host.configuration.clusters.first { $0.name == cluster }?.selfFence
            if !once {
                let when = selfFence.map { "when nobody could be reached for \($0.text)" } ?? "only when they live elsewhere"
                output.say("watching over \(cluster), which stops its applications \(when); stop with control-C")
            }
            let failed = Lock(false)
            let kept = Lock<[ApplicationName]>([])
            let untold = try await host.watch(cluster, once: once, until: { StopSignal.isSet }) { time, round in
                for silent in round.silent { if once { output.warning("\(silent) does not answer") } }
                if once, round.events.isEmpty { output.say("nothing to stop or start at \(cluster)") }
                for event in round.events {
                    if event.kind == .failed { failed.withLock { $0 = true } }
                    if event.kind == .kept { kept.withLock { $0 += [event.application].compactMap(\.self) } }
                    tell(event, time, output)
                }
            }
            guard untold.isEmpty else {
                tell(untold, kept.withLock { $0 }, output)
                return .unreachable
            }
            return once && failed.withLock { $0 } ? .failed : .done
        }
    }

    private func tell(_ event: AgentRound.Event, _ time: Instant, _ output: Output) {
        let text = (event.application.map { "\($0): " } ?? "") + event.message
        switch event.kind {
        case .failed: output.warning(text)
        case .ending:
            output.warning(
                "\(text): it is tried for a while, then what it relies on is stopped at \(cluster); a second signal ends the agent at once, and nothing "
                    + "stops there then")
        default: output.say("\(Runs.time(time)) \(event.kind.rawValue) \(text)")
        }
        output.object(
            "agent",
            [
                ("time", .instant(time)), ("cluster", .string(cluster.text)), ("event", .string(event.kind.rawValue)),
                ("application", event.application.map { .string($0.text) } ?? .null), ("message", .string(event.message)),
            ])
    }

    private func tell(_ untold: [ClusterName], _ kept: [ApplicationName], _ output: Output) {
        let names = untold.map(\.text).joined(separator: ", ")
        let stopped =
            kept.isEmpty
            ? "nothing ran at \(cluster) any more that relies on that"
            : "stopped at \(cluster), as was promised: \(kept.map(\.text).joined(separator: ", "))"
        output.warning("could not be told that the agent ends: \(names); \(stopped)")
        output.say("  next: drrunbook agent \(cluster)   starts what was stopped when \(names) answers and nobody took it over")
    }

    private func resumeAlone(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            output.warning(
                "if a cluster that does not answer is live there after all, two write until it is deposed; what it wrote is kept beside")
            guard yes else {
                throw DRError(.notAllowed, "nothing was started at \(cluster): nobody said yes", hint: "say --yes when they are gone")
            }
            let events = try await host.resumeAlone(cluster, reason: reason ?? "")
            for event in events {
                let text = "\(event.application?.text ?? "") at \(cluster)"
                if event.kind == .failed {
                    output.warning("\(text) was not started: \(event.message)")
                } else {
                    output.say("\(event.kind.rawValue) \(text)")
                }
                output.object(
                    "agent",
                    [
                        ("cluster", .string(cluster.text)), ("event", .string(event.kind.rawValue)),
                        ("application", event.application.map { .string($0.text) } ?? .null), ("message", .string(event.message)),
                    ])
            }
            guard events.allSatisfy({ $0.kind != .failed }) else {
                output.say("the same command again starts what was not")
                return .partial
            }
            return .done
        }
    }
}
