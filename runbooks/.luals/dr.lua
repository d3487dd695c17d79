---@meta
-- Generated from the declarations by `make record`; do not edit.

---@class DRTime
---@class DRDuration
---@class DRSecret
---@class DRRunbook
---@class DRPair
---@field name string
---@class DRDrill
---@field id string
---@class DRHooks
---@field ready? fun(application: { name: string })
---@field starting? fun(application: { name: string })
---@field stopped? fun(application: { name: string })
---@field stopping? fun(application: { name: string })

---@class dr
dr = {}

---Raises epochs and starts applications at the destination in order, each wave when the one before is ready.
---```lua
---dr.activate { pair = "east-west", applications = "all", recovery_point = "latest", mode = "planned" }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], recovery_point: string|{ at_or_before: string|DRTime, max_skew?: string|DRDuration }, mode: "planned"|"disaster", accept_data_loss?: string|DRDuration, accept_fuzzy?: boolean, deadlines?: { stop?: string|DRDuration, copy?: string|DRDuration, start?: string|DRDuration }, on?: DRHooks }
---@return table
function dr.activate(call) end

---A gate: the run stops here until people approve. Raises `rejected` and `gate-timeout`.
---```lua
---dr.approve { name = "cutover", message = "Move the shop to west?", quorum = 2, groups = { "dba" } }
---```
---@param call { name: string, message: string, quorum?: integer, groups?: (string)[], not_author?: boolean, timeout?: string|DRDuration, on_timeout?: "reject"|"wait", show?: any }
---@return table
function dr.approve(call) end

---Asks whether applications can be moved, and says what to mend.
---```lua
---dr.checks { pair = "east-west", applications = "all", skip = { capacity = "west grows on demand" } }
---```
---@param call { pair: string|DRPair, applications?: "all"|string[], only?: (string)[], skip?: table<string, string>, warn_only?: table<string, string>, raise?: boolean, reversed?: boolean, without_source?: boolean }
---@return table
function dr.checks(call) end

---Removes all of a drill: its processes, objects and volumes.
---```lua
---dr.cleanup { drill = d }
---```
---@param call { drill: string|DRDrill }
---@return table
function dr.cleanup(call) end

---A failover into an isolated clone at the destination. Source, replication, epochs and points stay as they are.
---```lua
---local d = dr.drill { pair = "east-west", applications = "all", ttl = "2h" } dr.cleanup { drill = d }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], recovery_point?: string|{ at_or_before: string|DRTime, max_skew?: string|DRDuration }, ttl?: string|DRDuration, suffix?: string, reversed?: boolean, after?: table<string, (string)[]>, deadlines?: { stop?: string|DRDuration, copy?: string|DRDuration, start?: string|DRDuration }, on?: DRHooks }
---@return table
function dr.drill(call) end

---Runs a program that dr.yaml allows, without a shell. In plans it is never run.
---```lua
---dr.exec { argv = { "psql", "--no-psqlrc", "-c", "checkpoint" }, env = { PGPASSWORD = dr.secret("PGPASSWORD") } }
---```
---@param call { argv: (string)[], env?: table<string, string|DRSecret>, stdin?: string|DRSecret, timeout?: string|DRDuration, check?: boolean, idempotent?: boolean, verify?: fun(): any, in_plan?: any, in_drill?: "skip"|"run"|table }
---@return table
function dr.exec(call) end

---Applications go home again over the reversed pair: planned, or as a disaster when the cluster where they live is lost.
---```lua
---dr.failback { pair = "east-west", applications = "all" }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], mode?: "planned"|"disaster", recovery_point?: string|{ at_or_before: string|DRTime, max_skew?: string|DRDuration }, source_down?: { evidence: string, fenced: "power"|"storage"|"network"|"none", since?: string|DRTime }, accept_data_loss?: string|DRDuration, accept_fuzzy?: boolean, after?: table<string, (string)[]>, deadlines?: { stop?: string|DRDuration, copy?: string|DRDuration, start?: string|DRDuration }, on?: DRHooks }
---@return table
function dr.failback(call) end

---Applications go live at the destination: stop at the source, one last sync, start in order. Planned loses nothing.
---```lua
---local f = dr.failover { pair = "east-west", applications = "all", mode = "planned" }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], mode: "planned"|"disaster", recovery_point?: string|{ at_or_before: string|DRTime, max_skew?: string|DRDuration }, source_down?: { evidence: string, fenced: "power"|"storage"|"network"|"none", since?: string|DRTime }, accept_data_loss?: string|DRDuration, accept_fuzzy?: boolean, after?: table<string, (string)[]>, deadlines?: { stop?: string|DRDuration, copy?: string|DRDuration, start?: string|DRDuration }, on?: DRHooks }
---@return table
function dr.failover(call) end

---One object of a cluster as a table; nil when it is not there.
---```lua
---local pg = dr.get { cluster = "west", kind = "StatefulSet", namespace = "shop-db", name = "pg" }
---```
---@param call { cluster: string, kind: string, namespace?: string, name: string }
---@return table
function dr.get(call) end

---Asks a web service that dr.yaml allows. In plans it is never asked; drills only GET and HEAD.
---```lua
---dr.http { method = "PUT", url = "https://lb.example.com/pools/shop", json = { active = "west" }, idempotent = true }
---```
---@param call { method?: "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE"|"OPTIONS", url: string, headers?: table<string, string|DRSecret>, query?: table<string, string>, json?: any, body?: string, expect?: string|integer|(string|integer)[], timeout?: string|DRDuration, idempotent?: boolean, verify?: fun(): any, in_plan?: any, in_drill?: "skip"|"run"|table }
---@return table
function dr.http(call) end

---The objects of one kind at a cluster, as tables, by name.
---```lua
---for _, s in ipairs(dr.list { cluster = "west", kind = "Service", namespace = "shop-web" }) do dr.log(s.metadata.name) end
---```
---@param call { cluster: string, kind: string, namespace?: string }
---@return table
function dr.list(call) end

---Copies applications to the destination once. Nothing moves, nothing starts.
---```lua
---local m = dr.migrate { pair = "east-west", applications = { "ledger" } }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], final?: boolean, reversed?: boolean, exclude_kinds?: (string)[], pre?: string, post?: string }
---@return table
function dr.migrate(call) end

---Tells people through a webhook of dr.yaml. Left out when the run has changed nothing and they were told the same last time.
---```lua
---dr.notify { to = "oncall", text = "the shop lives at west" }
---```
---@param call { to: string, text: string, details?: any, token?: DRSecret, always?: boolean, check?: boolean, in_drill?: "skip"|"run"|table }
---@return table
function dr.notify(call) end

---Asserts the link between two clusters: created if missing, refused if different.
---```lua
---dr.pair { name = "east-west", source = "east", destination = "west", object_store = "vault", both_ways = true }
---```
---@param call { name: string, source: string, destination: string, object_store: string, both_ways?: boolean }
---@return table
function dr.pair(call) end

---Sets single values of an application's object where it is live; returns the patch that takes it back.
---```lua
---local p = dr.patch { cluster = "west", application = "storefront", kind = "ConfigMap", namespace = "shop-web", name = "web", patch = { data = { mode = "read-only" } } }
---```
---@param call { cluster: string, application: string, kind: string, namespace?: string, name: string, patch: any }
---@return table
function dr.patch(call) end

---Stops applications at the source in reverse of their order.
---```lua
---dr.quiesce { pair = "east-west", applications = "all" }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], deadlines?: { stop?: string|DRDuration, copy?: string|DRDuration, start?: string|DRDuration }, on?: DRHooks }
---@return table
function dr.quiesce(call) end

---The recovery points at the destination, newest first.
---```lua
---local points = dr.recovery_points { pair = "east-west", applications = { "ledger" } }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], at_or_before?: string|DRTime, verified?: boolean, reversed?: boolean }
---@return table
function dr.recovery_points(call) end

---Protects applications from where they are live: one copy the other way now, and a schedule for those to come.
---```lua
---dr.reprotect { pair = "east-west", applications = "all", interval = "15m" }
---```
---@param call { pair: string|DRPair, applications: "all"|string[], interval: string|DRDuration, retain?: { last?: integer, hourly?: integer, daily?: integer, weekly?: integer, monthly?: integer } }
---@return table
function dr.reprotect(call) end

---Lets a held schedule run again.
---```lua
---dr.resume_schedule { name = "shop" }
---```
---@param call { name: string }
---@return table
function dr.resume_schedule(call) end

---Asserts a schedule: created if missing, refused if different.
---```lua
---dr.schedule { name = "shop", pair = "east-west", applications = "all", interval = "15m", retain = { last = 8 } }
---```
---@param call { name: string, pair: string|DRPair, applications: "all"|string[], interval?: string|DRDuration, daily?: string, weekly?: { day: "monday"|"tuesday"|"wednesday"|"thursday"|"friday"|"saturday"|"sunday", at: string }, monthly?: { day: integer, at: string }, zone?: string, retain?: { last?: integer, hourly?: integer, daily?: integer, weekly?: integer, monthly?: integer }, suspended?: boolean }
---@return table
function dr.schedule(call) end

---Where an application is, how old its newest copy is, who holds it.
---```lua
---local s = dr.status { application = "ledger" }
---```
---@param call { application?: string }
---@return table
function dr.status(call) end

---Holds a schedule until it is resumed.
---```lua
---dr.suspend_schedule { name = "shop" }
---```
---@param call { name: string }
---@return table
function dr.suspend_schedule(call) end

---Waits until an object is ready: a workload's processes answer, or its status has the condition.
---```lua
---dr.wait_ready { cluster = "west", kind = "StatefulSet", namespace = "shop-db", name = "pg", timeout = "5m" }
---```
---@param call { cluster: string, kind: string, namespace?: string, name: string, condition?: string, timeout?: string|DRDuration }
---@return table
function dr.wait_ready(call) end

---Parks the run until a window of time is open. No lock is held meanwhile.
---```lua
---dr.window { opens = "2026-03-01T22:00:00Z", closes = "2026-03-02T04:00:00Z" }
---```
---@param call { opens?: string|DRTime, closes?: string|DRTime, cron?: string, length?: string|DRDuration, zone?: string }
---@return table
function dr.window(call) end

---Declares the runbook; the file returns it.
---```lua
---return dr.runbook { name = "move", run = function(p) dr.failover { pair = "east-west", applications = "all", mode = "planned" } end }
---```
---@param declaration { name: string, summary?: string, params?: table, run: fun(p: table), ensures?: { active?: table<string, string>, before?: string[][] } }
---@return DRRunbook
function dr.runbook(declaration) end

---Runs fn under a name that stands in the path of all it does. Like every verb it takes a deadline, at which the run is put down.
---```lua
---dr.step("copy ahead", function() dr.migrate { pair = "east-west", applications = "all" } end)
---```
---@param name string
---@param fn fun(): any
---@param options? { deadline?: string }
function dr.step(name, fn, options) end

---Runs another runbook in this run: `require` gives it. Parameters are checked as on the command line, what it ensures must hold when it has ended; its undos stand on the run's ledger. Returns what its `run` returns; one that is under way cannot be called.
---```lua
---local drain = require "drain" dr.call(drain, { pool = "shop" })
---```
---@param runbook DRRunbook
---@param parameters? table
---@param options? { deadline?: string }
---@return any ...
function dr.call(runbook, parameters, options) end

---Registers what takes back what was done: called in reverse order when the run fails or is stopped with --undo. Of an application that went live elsewhere nothing is undone.
---```lua
---dr.undo(function() dr.log("open again") end, { application = "ledger", while_active_at = "east" })
---```
---@param fn fun()
---@param options? { application?: string, while_active_at?: string, name?: string }
function dr.undo(fn, options) end

---Registers what is done when the run ends, however it ends, after all undos.
---```lua
---dr.finally(function() dr.log("however it ended") end)
---```
---@param fn fun()
function dr.finally(fn) end

---Adds to what the run gives to its report, and to later runs through `previous`.
---```lua
---dr.results { rto_seconds = 42 }
---```
---@param values table
function dr.results(values) end

---The newest run before this one, of this runbook if no other is said: { run, runbook, outcome, started, finished, results, parameters }, or nil.
---```lua
---local last = dr.previous { outcome = "succeeded" } if last then dr.log("%s", last.run) end
---```
---@param options? { runbook?: string, outcome?: string }
---@return table?
function dr.previous(options) end

---Forgets the undos registered so far, in a called runbook those that it registered: what was done stays.
---```lua
---dr.settle()
---```
function dr.settle() end

---As step, but a failure is returned: ok, value or error.
---```lua
---local ok, e = dr.attempt("warm up", function() dr.wait_ready { cluster = "west", kind = "StatefulSet", namespace = "shop-db", name = "pg" } end)
---```
---@param name string
---@param fn fun(): any
---@return boolean ok, any value_or_error
function dr.attempt(name, fn) end

---Runs functions as branches, waits for all, returns their results in order; then raises one error that holds all.
---```lua
---local a, b = dr.parallel { function() return 1 end, function() return 2 end }
---```
---@param branches (fun(): any)[]
---@return any ...
function dr.parallel(branches) end

---Calls fn for each item in the order of `after`; on_failure is "stop" (default), "skip_dependents" or "continue".
---```lua
---dr.in_order({ "ledger", "storefront" }, { parallel = 2, on_failure = "skip_dependents" }, function(item) dr.log(item.name) end)
---```
---@param items "all"|(string|{ name: string, after?: string[] })[]
---@param options table
---@param fn fun(item: { name: string }): any
---@return table<string, { state: string }>
function dr.in_order(items, options, fn) end

---Calls fn again after a failure (of the codes in `on`), at most `times` times.
---```lua
---dr.retry({ times = 3, every = "10s", backoff = 2, on = { "timeout" } }, function() dr.migrate { pair = "east-west", applications = "all" } end)
---```
---@param options { times?: integer, every?: string, backoff?: number, on?: string[] }
---@param fn fun(attempt: integer): any
function dr.retry(options, fn) end

---Calls fn until it returns something true; raises `timeout`.
---```lua
---dr.wait_until({ timeout = "10m", every = "15s" }, function() return dr.status { application = "ledger" }.protected end)
---```
---@param options { timeout: string, every?: string }
---@param fn fun(): any
function dr.wait_until(options, fn) end

---Waits; a restart does not begin the wait anew.
---```lua
---dr.sleep("30s")
---```
---@param duration string|DRDuration
function dr.sleep(duration) end

---Writes a line into the record of the run.
---```lua
---dr.log("%s lives at %s", "ledger", "west")
---```
---@param format string
function dr.log(format, ...) end

---Ends the runbook as failed, unless caught.
---```lua
---dr.fail("the standby is too old")
---```
---@param message string
function dr.fail(message) end

---The time, journaled.
---```lua
---local began = dr.now() dr.log("took %s", dr.now() - began)
---```
---@return DRTime
function dr.now() end

---The parameters of the runbook that is run; in a called one, its own.
---```lua
---dr.log("why: %s", dr.params.reason)
---```
---@type table<string, any>
dr.params = {}

---"live", or "drill" in a drill and in the hooks of `drill`: what is being run, planned or tested.
---```lua
---if dr.running_as == "live" then dr.log("for real") end
---```
---@type "live"|"drill"
dr.running_as = "live"

---A number from 0 up to 1, journaled.
---```lua
---if dr.random() < 0.5 then dr.log("heads") end
---```
---@return number
function dr.random() end

---A time from RFC 3339; times compare, `t2 - t1` is a duration, `t + "15m"` a time.
---```lua
---if dr.now() > dr.time("2026-03-01T06:00:00Z") then dr.fail("too late for the window") end
---```
---@param text string
---@return DRTime
function dr.time(text) end

---A duration from "90s", "15m", "2h"; `:seconds()` is a number.
---```lua
---local limit = dr.duration("15m") dr.log("%d s", limit:seconds())
---```
---@param text string
---@return DRDuration
function dr.duration(text) end

---A handle of a secret that dr.yaml allows, for exec.env, exec.stdin, http.headers and notify.token; nothing else takes it.
---```lua
---dr.http { url = "https://lb.example.com/pools/", headers = { Authorization = dr.secret("LB_TOKEN") } }
---```
---@param name string
---@return DRSecret
function dr.secret(name) end

---JSON in and out.
---```lua
---local body = dr.json.encode { drain = true, reason = dr.json.null }
---```
dr.json = {}
---@param value any
---@return string
function dr.json.encode(value) end
---@param text string
function dr.json.decode(text) end
