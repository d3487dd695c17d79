import ArgumentParser
import DRHost
import DRModel

struct Agent: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watches over one cluster, at its side: stops there what lives elsewhere by now.",
        discussion: """
            It tells the other clusters every few seconds that it is there. What went live elsewhere in a newer epoch is stopped here; and where dr.yaml \
            says selfFence for the cluster, everything is stopped when no other cluster could be reached for so long, and started again when it can and \
            nobody took it over. A disaster failover waits for that. The cluster's fence command is run for each application that is stopped.

            EXAMPLE
              drrunbook agent east
            """)

    @Argument(help: "The cluster.") var cluster: ClusterName
    @Flag(name: .long, help: "One round; exit status 1 when something could not be stopped.") var once = false
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        StopSignal.listen()
        return try await withHost { host in
            let selfFence = host.configuration.clusters.first { $0.name == cluster }?.selfFence
            if !once {
                let when = selfFence.map { "when nobody could be reached for \($0.text)" } ?? "only when they live elsewhere"
                output.say("watching over \(cluster), which stops its applications \(when); stop with control-C")
            }
            var failed = false
            try await host.watch(cluster, once: once, until: { StopSignal.isSet }) { time, round in
                for silent in round.silent { if once { output.warning("\(silent) does not answer") } }
                for event in round.events {
                    failed = failed || event.kind == .failed
                    let text = "\(event.application): \(event.message)"
                    if event.kind == .failed {
                        output.warning(text)
                    } else {
                        output.say("\(Runs.time(time)) \(event.kind.rawValue) \(text)")
                    }
                    output.object(
                        "agent",
                        [
                            ("time", .instant(time)), ("cluster", .string(cluster.text)), ("event", .string(event.kind.rawValue)),
                            ("application", .string(event.application.text)), ("message", .string(event.message)),
                        ])
                }
            }
            return once && failed ? .failed : .done
        }
    }
}
