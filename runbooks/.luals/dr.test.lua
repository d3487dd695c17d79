---@meta dr.test
-- Generated from the declarations by `make record`; do not edit.

---@alias DRFaultKind "error"|"timeout"|"lost-reply"|"slow"|"crash"|"source-unreachable"|"destination-unreachable"|"store-unreachable"|"partition"|"down"|"clock-jump"|"reject"
---@alias DROutcome "succeeded"|"failed"|"partial"|"waiting"|"stopped"|"refused"|"target-missed"|"interrupted"

---@class DRRun
---@field id string
---@field outcome DROutcome
---@field error? { code: string, message: string }
---@field rto? DRDuration
---@field applications table<string, { active_at?: string, state: string, rto?: DRDuration, next?: string }>
---@field effects string[]
---@field undos { name: string, state: string }[]
---@field log string[]
---@field gates string[]

---@class DRSim
local sim = {}

---A world from a file. A case that loads nothing gets dr.yaml's, copied five minutes ago.
---```lua
---sim:load "fixtures/shop.yaml"
---```
---@param fixture string
function sim:load(fixture) end

---A world from a table with the sections of a fixture.
---```lua
---sim:world { config = "../dr.yaml", copied = "2h" }
---```
---@param sections table
function sim:world(sections) end

---Its processes write a line; returns the number of the write.
---```lua
---local last = sim:write("ledger", "east")
---```
---@param application string
---@param cluster string
---@return integer
function sim:write(application, cluster) end

---What its volumes hold there, as text.
---```lua
---t.ok(sim:read("ledger", "west"):find("write 1", 1, true))
---```
---@param application string
---@param cluster string
---@return string
function sim:read(application, cluster) end

---It loses its power: nothing answers, nothing runs.
---```lua
---sim:down "east"
---```
---@param cluster string
function sim:down(cluster) end

---It cannot be reached, and goes on running; with a cluster and a store, only these two do not reach each other.
---```lua
---sim:partition("east", "vault")
---```
---@param cluster_or_store string
---@param other? string
function sim:partition(cluster_or_store, other) end

---Everything answers again; where the power was gone, what the manifests ask for runs again.
---```lua
---sim:heal()
---```
function sim:heal() end

---Recovery points at the cluster rot: whoever reads them finds out.
---```lua
---sim:corrupt { application = "ledger", cluster = "west", points = "all" }
---```
---@param what { application: string, cluster: string, points?: "newest"|"all" }
function sim:corrupt(what) end

---Time passes while nobody does anything.
---```lua
---sim:advance "2h"
---```
---@param duration string|number|DRDuration
function sim:advance(duration) end

---The time of this world.
---```lua
---local began = sim:now()
---```
---@return DRTime
function sim:now() end

---Something goes wrong at the nth time something is done: an action (by the steps that lead to it), a port, the journal.
---```lua
---sim:fault { at = "failover/last-sync", kind = "source-unreachable", lasts = "10m" }
---```
---@param fault { at: string, kind: DRFaultKind, nth?: integer, when?: "before"|"after", application?: string, cluster?: string, delay?: string, lasts?: string, code?: string, again?: boolean, optional?: boolean }
function sim:fault(fault) end

---What people do when a run stands at the gate, by the rules of `drrunbook approve`.
---```lua
---sim:approve("cutover", { "alice", "bob" }, { after = "5m" })
---```
---@param gate string
---@param people? string[]
---@param options? { after?: string, comment?: string }
function sim:approve(gate, people, options) end

---They say no.
---```lua
---sim:reject("cutover", { "carol" })
---```
---@param gate string
---@param people? string[]
---@param options? { after?: string, comment?: string }
function sim:reject(gate, people, options) end

---What a call outside is answered; several answers are given in turn, `*` stands for anything, the last that fits counts.
---```lua
---sim:answer("http", { url = "https://lb.example.com/*" }, { status = 503 }, { status = 200 })
---```
---@param kind "exec"|"http"|"notify"
---@param match string|table
---@param ... table
function sim:answer(kind, match, ...) end

---Runs it to its end, to a gate where nobody speaks, or to where its process dies.
---```lua
---local run = sim:run("failover.lua", { reason = "test" })
---```
---@param runbook string
---@param parameters? table
---@return DRRun
function sim:run(runbook, parameters) end

---Rehearses it with clones.
---```lua
---local run = sim:drill("failover.lua", { reason = "test" })
---```
---@param runbook string
---@param parameters? table
---@return DRRun
function sim:drill(runbook, parameters) end

---Carries it on in a new process; `settled` says what a person found out about a call whose answer was lost.
---```lua
---run = sim:resume(run, { settled = "done" })
---```
---@param run DRRun
---@param options? { settled?: "done"|"not-done" }
---@return DRRun
function sim:resume(run, options) end

---@class DRTest
local t = {}

---A case, in a world of its own and in virtual time.
---```lua
---t.case("the shop moves", function(sim) t.outcome(sim:run("move.lua"), "succeeded") end)
---```
---@param name string
---@param body fun(sim: DRSim)
function t.case(name, body) end

---How it ended.
---```lua
---t.outcome(run, "succeeded")
---```
---@param run DRRun
---@param outcome DROutcome
function t.outcome(run, outcome) end

---The code of the error it ended with.
---```lua
---t.error(run, "store-unreachable")
---```
---@param run DRRun
---@param code string
function t.error(run, code) end

---It is active there by the clusters' records, and its processes run there and nowhere else.
---```lua
---t.active(sim, "ledger", "west")
---```
---@param sim DRSim
---@param application string
---@param cluster string
function t.active(sim, application, cluster) end

---Nothing runs at two clusters.
---```lua
---t.one_writer(sim)
---```
---@param sim DRSim
function t.one_writer(sim) end

---The first was done before the second: `stop ledger`, `start storefront`, or a part of an effect.
---```lua
---t.before(run, "stop storefront", "stop ledger")
---```
---@param run DRRun
---@param first string
---@param second string
function t.before(run, first, second) end

---Nothing was changed there; where the cluster is lost, nothing was asked either.
---```lua
---t.untouched(run, "east")
---```
---@param run DRRun
---@param cluster string
function t.untouched(run, cluster) end

---An undo of this name was carried out.
---```lua
---t.undone(run, "the banner")
---```
---@param run DRRun
---@param name string
function t.undone(run, name) end

---No drill, no staged volume, no capture is left.
---```lua
---t.nothing_left(sim)
---```
---@param sim DRSim
function t.nothing_left(sim) end

---The age of the data made live.
---```lua
---t.rpo(run, "ledger", "<=", "15m")
---```
---@param run DRRun
---@param application string
---@param sign "<="|"<"|"=="
---@param age string|number|DRDuration
function t.rpo(run, application, sign, age) end

---A call outside that fits was made: a text with `*`, or a table of kind, url, method, body, name, argv, channel, text.
---```lua
---t.called(run, { kind = "http", url = "https://lb.example.com/*" }, 2)
---```
---@param run DRRun
---@param match string|table
---@param times? integer
---@return integer
function t.called(run, match, times) end

---It waits for people.
---```lua
---t.waiting(run, "cutover")
---```
---@param run DRRun
---@param gate? string
function t.waiting(run, gate) end

---Exactly these effects; returns them.
---```lua
---t.effects(run, {})
---```
---@param run DRRun
---@param list? string[]
---@return string[]
function t.effects(run, list) end

---Something was logged that holds this text.
---```lua
---t.logged(run, "lives at west")
---```
---@param run DRRun
---@param text string
function t.logged(run, text) end

---Equal, by value.
---```lua
---t.equal(#run.effects, 4)
---```
---@param found any
---@param wanted any
---@param message? string
function t.equal(found, wanted, message) end

---True, or anything but false and nil.
---```lua
---t.ok(run.outcome ~= "succeeded", "it should not have")
---```
---@param value any
---@param message? string
function t.ok(value, message) end

---The case fails.
---```lua
---t.fail("not written yet")
---```
---@param message string
function t.fail(message) end

return t
