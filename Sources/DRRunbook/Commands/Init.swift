import ArgumentParser
import DRHost
import DRModel

struct Init: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a dr.yaml, two small sites and first runbooks, ready to run.",
        discussion: """
            Files that exist are never overwritten: then nothing is written at all.

            EXAMPLE
              drrunbook init shop && cd shop
              drrunbook run runbooks/protect.lua
              drrunbook plan runbooks/failover.lua
            """)

    @Argument(help: "The folder; this one when none is named.", completion: .directory)
    var folder = "."
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let files = try Starter.write(to: folder)
        for file in files {
            output.say("  \(file)")
            output.object("file", [("path", .string(file))])
        }
        output.say("\(output.style.good("written")): two sites, a ledger with a volume and its storefront")
        let enter = folder == "." ? "" : "cd \(folder) && "
        output.say("next: \(enter)drrunbook plan runbooks/failover.lua")
        return .done
    }
}
