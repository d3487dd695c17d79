import DRHost
import DRModel
import Foundation
import Testing

/// Wrong words on the command line, in dr.yaml, in runbooks: what is said, with which status, and that nothing was touched.
@Suite(.waitsForProcesses) struct BadInputTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        var files: [String: String] = [:]
        let arguments: [String]
        var status: Int32 = 2
        /// The whole of standard error.
        let error: String
        var testDescription: String { name }
    }

    static func runbook(_ body: String) -> String { "return dr.runbook { name = \"bad\", run = function(p)\n\(body)\nend }\n" }

    static let cases: [Case] = [
        Case(
            name: "no such configuration", arguments: ["status", "--config", "nowhere.yaml"],
            error: """
                error: there is no nowhere.yaml here
                  hint: `drrunbook init` writes one to begin with; `--config FILE` names another

                """),
        Case(
            name: "a broken configuration", files: ["dr.yaml": "clusters:\n  east: { directroy: sites/east }\nlimit: 3\n"],
            arguments: ["run", "runbooks/failover.lua", "--yes"],
            error: """
                error: dr.yaml:2: clusters.east: unknown key "directroy" (did you mean "directory"?)
                  hint: known keys: directory, selfFence, hosts, workloads, rules, kubeconfig, context
                error: dr.yaml:2: clusters.east: directory is missing: expected the folder of the embedded cluster
                error: dr.yaml:3: unknown key "limit" (did you mean "limits"?)
                  hint: known keys: engine, state, clusters, objectStores, applications, pairs, schedules, limits, allow, approvals, notify, jobs, signing
                3 errors; nothing was changed

                """),
        Case(
            name: "no such runbook", arguments: ["run", "runbooks/failovr.lua", "--yes"],
            error: """
                error: there is no runbook runbooks/failovr.lua (did you mean "failover.lua"?)
                  hint: there are: drill.lua, failback.lua, failover.lua, protect.lua

                """),
        Case(
            name: "no such parameter", arguments: ["run", "runbooks/failover.lua", "--yes", "-p", "raeson=x"],
            error: """
                error: runbooks/failover.lua:4: shop failover has no parameter "raeson" (did you mean "reason"?)
                  hint: parameters: planned, reason

                """),
        Case(
            name: "a parameter of another type", arguments: ["plan", "runbooks/failover.lua", "-p", "planned=maybe"],
            error: "error: runbooks/failover.lua:4: parameter \"planned\": expected true or false, got \"maybe\"\n"),
        Case(
            name: "a parameter without a value", arguments: ["plan", "runbooks/failover.lua", "-p", "planned"],
            error: "error: -p planned: expected NAME=VALUE\n"),
        Case(
            name: "a parameter given twice", arguments: ["plan", "runbooks/failover.lua", "-p", "reason=a", "-p", "reason=b"],
            error: "error: -p reason: given twice\n"),
        Case(
            name: "a file of parameters that is no map", files: ["p.yaml": "- a\n"],
            arguments: ["plan", "runbooks/failover.lua", "--params", "p.yaml"],
            error: "error: p.yaml:1: p.yaml: expected a map of parameters, found a list\n"),
        Case(
            name: "an unknown cluster to do without", arguments: ["plan", "runbooks/failover.lua", "--without", "esat"],
            error: """
                error: there is no cluster "esat" (did you mean "east"?)
                  hint: declared: east, west

                """),
        Case(
            name: "an unknown application", arguments: ["status", "legder"],
            error: """
                error: there is no application "legder" (did you mean "ledger"?)
                  hint: declared: ledger, storefront

                """),
        Case(
            name: "an unknown application to break the lock of", arguments: ["lock", "break", "legder"],
            error: """
                error: there is no application "legder" (did you mean "ledger"?)
                  hint: declared: ledger, storefront

                """),
        Case(
            name: "an unknown run before any", arguments: ["show", "20260101-000000-0000"],
            error: """
                error: nothing has been run yet: there is no journal
                """),
        Case(
            name: "an unknown verb", arguments: ["explain", "failovr.mode"],
            error: """
                error: there is no verb "failovr.mode" (did you mean "failover"?)
                  hint: `drrunbook explain` lists them

                """),
        Case(
            name: "an unknown field of a verb", arguments: ["explain", "failover.mod"],
            error: """
                error: failover has no field "mod" (did you mean "mode"?)
                """),
        Case(
            name: "a runbook that is no Lua", files: ["runbooks/bad.lua": "return dr.runbook {\n  name = \n"],
            arguments: ["run", "runbooks/bad.lua", "--yes"], error: "error: runbooks/bad.lua:"),
        Case(
            name: "a runbook that declares none", files: ["runbooks/bad.lua": "return 1\n"],
            arguments: ["run", "runbooks/bad.lua", "--yes"],
            error: "error: runbooks/bad.lua"),
        Case(
            name: "a misspelt field of a verb",
            files: ["runbooks/bad.lua": runbook("dr.migrate { pair = \"east-west\", aplications = \"all\" }")],
            arguments: ["run", "runbooks/bad.lua", "--yes"],
            error: "error: runbooks/bad.lua:2: migrate: "),
        Case(
            name: "a pair that is none",
            files: ["runbooks/bad.lua": runbook("dr.migrate { pair = \"east-wets\", applications = \"all\" }")],
            arguments: ["plan", "runbooks/bad.lua"],
            error: "error: runbooks/bad.lua:2: migrate: field \"pair\": there is no pair \"east-wets\""),
        Case(
            name: "a module that is not there", files: ["runbooks/bad.lua": "local x = require \"lib.sya\"\n" + runbook("")],
            arguments: ["lint", "runbooks/bad.lua"], error: "error: runbooks/bad.lua:1: "),
        Case(
            name: "a plan that is none", files: ["p.json": "{}"], arguments: ["run", "runbooks/failover.lua", "--plan", "p.json"],
            error: "error: p.json is not a plan of this version\n  hint: write it with `drrunbook plan RUNBOOK --out FILE`\n"),
        Case(
            name: "no command", arguments: ["rnu"],
            error: """
                Error: Unexpected argument 'rnu'
                Usage: drrunbook <subcommand>
                  See 'drrunbook --help' for more information.
                  Did you mean 'drrunbook run'?

                """),
        Case(name: "no such option", arguments: ["status", "--jsno"], error: "Error: Unknown option '--jsno'"),
        Case(name: "a name that is none", arguments: ["show", "NO/NAME"], error: "Error: The value 'NO/NAME' is invalid for '<run>'"),
        Case(
            name: "activation without a yes", arguments: ["run", "runbooks/failover.lua"],
            error: """
                error: ledger, storefront go live at west: this needs a yes
                  hint: look at it with `drrunbook plan`, then pass --yes; on a terminal you are asked

                """),
        Case(
            name: "init over what is there", arguments: ["init"], status: 5,
            error:
                "error: dr.yaml, .gitignore, .luarc.json and 22 more exist already in .\n  hint: nothing was written; name another folder: `drrunbook init DIR`\n"
        ),
    ]

    @Test(arguments: cases) func `G8 bad input is told before the first effect`(_ bad: Case) throws {
        let shop = try ShopFixture()
        for (path, text) in bad.files { try shop.write(path, text) }
        let before = try shop.fingerprint("sites", "objects")
        let answer = try shop.drrunbook(bad.arguments)
        #expect(answer.status == bad.status, "\(answer.output)\(answer.error)")
        // A text that ends with a line's end is all that is said; any other is how it begins.
        #expect(bad.error.hasSuffix("\n") ? answer.error == bad.error : answer.error.hasPrefix(bad.error), "\(answer.error)")
        #expect(try shop.fingerprint("sites", "objects") == before)
    }
}
