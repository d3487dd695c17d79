import ArgumentParser
import DRHost
import DRModel

struct Scrub: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reads all that recovery points need, at their clusters and in the stores, and heals what is damaged.",
        discussion: """
            What is damaged or missing on one side is replaced by what is sound on the other. What a store holds under another encryption key than the first \
            is sealed anew with that one: then the other may go. `serve` does the same once a week, a part at a time.

            The exit status is 0 when all is sound, 6 when damage is left, 5 when a copy is being written, 8 when a cluster or store does not answer.

            EXAMPLE
              drrunbook scrub
              drrunbook scrub ledger --json
            """)

    @Argument(help: "Applications; all when none is named.")
    var applications: [ApplicationName] = []
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let (reports, silent) = try await host.scrub(applications) { application, cluster, scrubbed in
                if scrubbed.next != nil { output.note("\(application) at \(cluster): \(ByteCount(scrubbed.bytes)) read") }
            }
            if reports.isEmpty { output.say("no recovery points" + (silent.isEmpty ? "" : " at the clusters that answer")) }
            for report in reports { Self.tell(report, output) }
            for error in silent { output.warning("\(error.message); its copies were not read") }
            return Self.status(reports, silent)
        }
    }

    static func status(_ reports: [Host.ScrubReport], _ silent: [DRError]) -> ExitStatus {
        if reports.contains(where: { $0.scrubbed.isDamageLeft }) { return .partial }
        if let error = reports.compactMap(\.error).first ?? silent.first { return ExitStatus(error) }
        return .done
    }

    private static func tell(_ report: Host.ScrubReport, _ output: Output) {
        let (place, scrubbed) = ("\(report.application) at \(report.cluster)", report.scrubbed)
        findings(scrubbed, place, output)
        let read = "\(scrubbed.objects) objects, \(ByteCount(scrubbed.bytes))"
        if let error = report.error {
            output.warning("\(place): ended after \(read): \(error)")
        } else {
            let changed = [(scrubbed.healed.count, "healed"), (scrubbed.resealed.count, "sealed anew")].filter { $0.0 > 0 }
            let left = scrubbed.lost.count + scrubbed.unhealed.count + scrubbed.locked.count
            let told = changed.map { "\($0.0) \($0.1)" } + (left == 0 ? [] : ["\(left) not sound"])
            output.say("\(place): \(read) read; " + (told.isEmpty ? output.style.good("all sound") : told.joined(separator: ", ")))
        }
        output.object(
            "scrubbed", members(report.application, report.cluster, scrubbed) + [("error", JSONLines.text(report.error?.message))])
    }

    /// What was not as it should be, a line each.
    static func findings(_ scrubbed: Scrubbed, _ place: String, _ output: Output) {
        for name in scrubbed.healed { output.warning("\(place): \(name) was damaged, and is healed") }
        for name in scrubbed.resealed {
            output.warning("\(place): \(name) was sealed with another key, and is sealed with the first one now")
        }
        for name in scrubbed.removed {
            output.warning("\(place): \(name) could not be mended and was removed; the next migration makes it anew")
        }
        for name in scrubbed.lost { output.warning("\(place): \(name) is damaged everywhere; migrate again") }
        for name in scrubbed.unhealed { output.warning("\(place): \(name) (still damaged there; the own copy is sound)") }
        for name in scrubbed.locked {
            output.warning("\(place): \(name) is sealed with a key that is not here, and the own copy of it is not sound; add the key")
        }
    }

    static func members(_ application: ApplicationName, _ cluster: ClusterName, _ scrubbed: Scrubbed) -> [(String, Value)] {
        func list(_ names: [String]) -> Value { .list(names.map { .string($0) }) }
        return [
            ("application", .string(application.text)), ("cluster", .string(cluster.text)),
            ("objects", .integer(Int64(scrubbed.objects))), ("bytes", .integer(scrubbed.bytes)),
            ("healed", list(scrubbed.healed)), ("resealed", list(scrubbed.resealed)), ("lost", list(scrubbed.lost)),
            ("unhealed", list(scrubbed.unhealed)), ("locked", list(scrubbed.locked)), ("removed", list(scrubbed.removed)),
            ("complete", .bool(scrubbed.next == nil)),
        ]
    }
}
