/// A function of `sim` or `t`: what a test may call, what editors show of it, and the names that misspellings are measured by.
struct TestFunction {
    enum Owner: String { case sim, t }

    let owner: Owner
    let name: String
    /// Its parameters as the Lua language server writes them: `name: type`, a `?` behind the name where it may be left out.
    let parameters: [String]
    var result: String?
    let summary: String
    let example: String

    static let all = world + people + runs + ends + outside + values

    static func names(_ owner: Owner) -> [String] { all.filter { $0.owner == owner }.map(\.name) }

    private static let world = [
        TestFunction(
            owner: .sim, name: "load", parameters: ["fixture: string"],
            summary: "A world from a file. A case that loads nothing gets dr.yaml's, copied five minutes ago.",
            example: #"sim:load "fixtures/shop.yaml""#),
        TestFunction(
            owner: .sim, name: "world", parameters: ["sections: table"], summary: "A world from a table with the sections of a fixture.",
            example: #"sim:world { config = "../dr.yaml", copied = "2h" }"#),
        TestFunction(
            owner: .sim, name: "write", parameters: ["application: string", "cluster: string"], result: "integer",
            summary: "Its processes write a line; returns the number of the write.",
            example: #"local last = sim:write("ledger", "east")"#),
        TestFunction(
            owner: .sim, name: "read", parameters: ["application: string", "cluster: string"], result: "string",
            summary: "What its volumes hold there, as text.",
            example: #"t.ok(sim:read("ledger", "west"):find("write 1", 1, true))"#),
        TestFunction(
            owner: .sim, name: "down", parameters: ["cluster: string"], summary: "It loses its power: nothing answers, nothing runs.",
            example: #"sim:down "east""#),
        TestFunction(
            owner: .sim, name: "partition", parameters: ["cluster_or_store: string", "other?: string"],
            summary: "It cannot be reached, and goes on running; with a cluster and a store, only these two do not reach each other.",
            example: #"sim:partition("east", "vault")"#),
        TestFunction(
            owner: .sim, name: "heal", parameters: [],
            summary: "Everything answers again; where the power was gone, what the manifests ask for runs again.", example: "sim:heal()"),
        TestFunction(
            owner: .sim, name: "corrupt", parameters: [#"what: { application: string, cluster: string, points?: "newest"|"all" }"#],
            summary: "Recovery points at the cluster rot: whoever reads them finds out.",
            example: #"sim:corrupt { application = "ledger", cluster = "west", points = "all" }"#),
        TestFunction(
            owner: .sim, name: "advance", parameters: ["duration: string|number|DRDuration"],
            summary: "Time passes while nobody does anything.", example: #"sim:advance "2h""#),
        TestFunction(
            owner: .sim, name: "now", parameters: [], result: "DRTime", summary: "The time of this world.",
            example: "local began = sim:now()"),
        TestFunction(
            owner: .sim, name: "fault",
            parameters: [
                "fault: { at: string, kind: DRFaultKind, nth?: integer, when?: \"before\"|\"after\", application?: string, cluster?: string, delay?: string, lasts?: string, code?: string, again?: boolean, optional?: boolean }"
            ],
            summary:
                "Something goes wrong at the nth time something is done: an action (by the steps that lead to it), a port, the journal.",
            example: #"sim:fault { at = "failover/last-sync", kind = "source-unreachable", lasts = "10m" }"#),
    ]

    private static let people = [
        TestFunction(
            owner: .sim, name: "approve",
            parameters: ["gate: string", "people?: string[]", "options?: { after?: string, comment?: string }"],
            summary: "What people do when a run stands at the gate, by the rules of `drrunbook approve`.",
            example: #"sim:approve("cutover", { "alice", "bob" }, { after = "5m" })"#),
        TestFunction(
            owner: .sim, name: "reject",
            parameters: ["gate: string", "people?: string[]", "options?: { after?: string, comment?: string }"],
            summary: "They say no.", example: #"sim:reject("cutover", { "carol" })"#),
        TestFunction(
            owner: .sim, name: "answer",
            parameters: [#"kind: "exec"|"http"|"notify""#, "match: string|table", "...: table"],
            summary:
                "What a call outside is answered; several answers are given in turn, `*` stands for anything, the last that fits counts.",
            example: #"sim:answer("http", { url = "https://lb.example.com/*" }, { status = 503 }, { status = 200 })"#),
    ]

    private static let runs = [
        TestFunction(
            owner: .sim, name: "run", parameters: ["runbook: string", "parameters?: table"], result: "DRRun",
            summary: "Runs it to its end, to a gate where nobody speaks, or to where its process dies.",
            example: #"local run = sim:run("failover.lua", { reason = "test" })"#),
        TestFunction(
            owner: .sim, name: "drill", parameters: ["runbook: string", "parameters?: table"], result: "DRRun",
            summary: "Rehearses it with clones.", example: #"local run = sim:drill("failover.lua", { reason = "test" })"#),
        TestFunction(
            owner: .sim, name: "resume", parameters: ["run: DRRun", #"options?: { settled?: "done"|"not-done" }"#], result: "DRRun",
            summary: "Carries it on in a new process; `settled` says what a person found out about a call whose answer was lost.",
            example: #"run = sim:resume(run, { settled = "done" })"#),
        TestFunction(
            owner: .t, name: "case", parameters: ["name: string", "body: fun(sim: DRSim)"],
            summary: "A case, in a world of its own and in virtual time.",
            example: #"t.case("the shop moves", function(sim) t.outcome(sim:run("move.lua"), "succeeded") end)"#),
    ]

    private static let ends = [
        TestFunction(
            owner: .t, name: "outcome", parameters: ["run: DRRun", "outcome: DROutcome"], summary: "How it ended.",
            example: #"t.outcome(run, "succeeded")"#),
        TestFunction(
            owner: .t, name: "error", parameters: ["run: DRRun", "code: string"], summary: "The code of the error it ended with.",
            example: #"t.error(run, "store-unreachable")"#),
        TestFunction(
            owner: .t, name: "active", parameters: ["sim: DRSim", "application: string", "cluster: string"],
            summary: "It is active there by the clusters' records, and its processes run there and nowhere else.",
            example: #"t.active(sim, "ledger", "west")"#),
        TestFunction(
            owner: .t, name: "one_writer", parameters: ["sim: DRSim"], summary: "Nothing runs at two clusters.",
            example: "t.one_writer(sim)"),
        TestFunction(
            owner: .t, name: "before", parameters: ["run: DRRun", "first: string", "second: string"],
            summary: "The first was done before the second: `stop ledger`, `start storefront`, or a part of an effect.",
            example: #"t.before(run, "stop storefront", "stop ledger")"#),
        TestFunction(
            owner: .t, name: "untouched", parameters: ["run: DRRun", "cluster: string"],
            summary: "Nothing was changed there; where the cluster is lost, nothing was asked either.",
            example: #"t.untouched(run, "east")"#),
        TestFunction(
            owner: .t, name: "undone", parameters: ["run: DRRun", "name: string"], summary: "An undo of this name was carried out.",
            example: #"t.undone(run, "the banner")"#),
        TestFunction(
            owner: .t, name: "nothing_left", parameters: ["sim: DRSim"],
            summary: "No drill, no staged volume, no capture is left.", example: "t.nothing_left(sim)"),
        TestFunction(
            owner: .t, name: "rpo",
            parameters: ["run: DRRun", "application: string", #"sign: "<="|"<"|"==""#, "age: string|number|DRDuration"],
            summary: "The age of the data made live.", example: #"t.rpo(run, "ledger", "<=", "15m")"#),
    ]

    private static let outside = [
        TestFunction(
            owner: .t, name: "called", parameters: ["run: DRRun", "match: string|table", "times?: integer"], result: "integer",
            summary:
                "A call outside that fits was made: a text with `*`, or a table of kind, url, method, body, name, argv, channel, text.",
            example: #"t.called(run, { kind = "http", url = "https://lb.example.com/*" }, 2)"#),
        TestFunction(
            owner: .t, name: "waiting", parameters: ["run: DRRun", "gate?: string"], summary: "It waits for people.",
            example: #"t.waiting(run, "cutover")"#),
        TestFunction(
            owner: .t, name: "effects", parameters: ["run: DRRun", "list?: string[]"], result: "string[]",
            summary: "Exactly these effects; returns them.", example: #"t.effects(run, {})"#),
        TestFunction(
            owner: .t, name: "logged", parameters: ["run: DRRun", "text: string"], summary: "Something was logged that holds this text.",
            example: #"t.logged(run, "lives at west")"#),
    ]

    private static let values = [
        TestFunction(
            owner: .t, name: "equal", parameters: ["found: any", "wanted: any", "message?: string"], summary: "Equal, by value.",
            example: #"t.equal(#run.effects, 4)"#),
        TestFunction(
            owner: .t, name: "ok", parameters: ["value: any", "message?: string"], summary: "True, or anything but false and nil.",
            example: #"t.ok(run.outcome ~= "succeeded", "it should not have")"#),
        TestFunction(
            owner: .t, name: "fail", parameters: ["message: string"], summary: "The case fails.", example: #"t.fail("not written yet")"#),
    ]
}
