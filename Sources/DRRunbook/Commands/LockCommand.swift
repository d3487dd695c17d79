import ArgumentParser
import DRHost
import DRModel

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Shows who holds which application, and breaks locks.", subcommands: [List.self, Break.self],
        defaultSubcommand: List.self)

    struct List: HostCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists locks: application, cluster, holder, since when.",
            discussion: """
                EXAMPLE
                  drrunbook lock list
                """)
        @OptionGroup var common: CommonOptions

        func perform(_ output: Output) async throws -> ExitStatus {
            try await withHost { host in
                let (list, damaged, silent) = try await host.locks()
                var table = Table("APPLICATION", "CLUSTER", "RUN", "UNTIL", "STATE")
                var holders: [String] = []
                for (cluster, lock) in list {
                    let holder = lock.holder
                    table.add(
                        lock.application.text, cluster.text, holder.run.text, lock.expires.map(Runs.time) ?? "-", Self.state(lock))
                    let line =
                        "\(holder.run): \(holder.runbook) on \(holder.host), process \(holder.process), since \(Runs.time(lock.since))"
                    if !holders.contains(line) { holders.append(line) }
                    output.object(
                        "lock",
                        [
                            ("application", .string(lock.application.text)), ("cluster", .string(cluster.text)),
                            ("holder", .string(holder.run.text)), ("runbook", .string(holder.runbook)), ("host", .string(holder.host)),
                            ("process", .integer(Int64(holder.process))), ("since", .instant(lock.since)), ("alive", .bool(lock.alive)),
                            ("expires", lock.expires.map(Value.instant) ?? .null), ("counts", .bool(lock.counts)),
                            ("state", .string(Self.state(lock))),
                        ])
                }
                let isWhole = damaged.isEmpty && silent.isEmpty
                if list.isEmpty { output.say("no locks" + (isWhole ? "" : " that can be read")) } else { output.table(table) }
                holders.forEach { output.say($0) }
                for error in damaged { output.warning(error.description) }
                for cluster in silent { output.warning("\(cluster) does not answer: who holds what there is unknown") }
                return silent.isEmpty ? .done : .unreachable
            }
        }

        private static func state(_ lock: ApplicationLock) -> String {
            switch (lock.alive, lock.counts) {
            case (true, true): "held"
            case (false, true): "kept for a run that was put down"
            case (true, false): "run out: its process is paused or hangs"
            case (false, false): "left by a dead process"
            }
        }
    }

    struct Break: HostCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes an application's lock from its holder.",
            discussion: """
                A lock goes with its holder's process, and runs out by itself a minute after that process was last seen at work; one of a run that was \
                put down, after a quarter of an hour; one of a run that stands at a gate, when the gate closes. Break it when you cannot wait: the holder is refused at its next commit.

                EXAMPLE
                  drrunbook lock break ledger --yes
                """)
        @Argument(help: "The application.") var application: ApplicationName
        @Flag(name: .long, help: "Yes, though its holder lives.") var yes = false
        @OptionGroup var common: CommonOptions

        func perform(_ output: Output) async throws -> ExitStatus {
            try await withHost { host in
                try host.requireDeclared(application)
                let (all, damaged, silent) = try await host.locks()
                let held = all.filter { $0.lock.application == application }
                for cluster in silent { output.warning("\(cluster) does not answer: a lock of \(application) there stays") }
                guard !held.isEmpty || !damaged.isEmpty else {
                    output.say("nobody holds \(application)" + (silent.isEmpty ? "" : " at the clusters that answer"))
                    return silent.isEmpty ? .done : .unreachable
                }
                if let living = held.first(where: { $0.lock.counts }), !yes {
                    throw DRError(
                        .notAllowed,
                        "\(application) is held by run \(living.lock.holder.run), whose process \(living.lock.holder.process) on "
                            + "\(living.lock.holder.host) " + (living.lock.alive ? "lives" : "was put down, to be taken up again"),
                        hint: living.lock.alive
                            ? "stop that process, or say --yes" : "`drrunbook resume \(living.lock.holder.run)`, or say --yes")
                }
                // One that cannot be read may be this application's.
                if held.isEmpty, let first = damaged.first, !yes { throw first }
                for cluster in try await host.breakLock(of: application) {
                    output.say("broken: \(application) at \(cluster)")
                    output.object(
                        "lock.broken", [("application", .string(application.text)), ("cluster", .string(cluster.text))])
                }
                return silent.isEmpty ? .done : .unreachable
            }
        }
    }
}
