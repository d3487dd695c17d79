/// A function of `dr` that is no verb: what the reference says of it. The prelude holds the code.
struct FlowFunction {
    let name: String
    let signature: String
    let summary: String
    let stub: String

    static let all: [FlowFunction] = [
        FlowFunction(
            name: "runbook", signature: "runbook{ name, summary?, params?, run, ensures? }",
            summary: "Declares the runbook; the file returns it.",
            stub:
                "---@param declaration { name: string, summary?: string, params?: table, run: fun(p: table), ensures?: { active?: table<string, string>, before?: string[][] } }\n---@return DRRunbook\nfunction dr.runbook(declaration) end"
        ),
        FlowFunction(
            name: "step", signature: "step(name, fn, { deadline? })",
            summary:
                "Runs fn under a name that stands in the path of all it does. Like every verb it takes a deadline, at which the run is put down.",
            stub:
                "---@param name string\n---@param fn fun(): any\n---@param options? { deadline?: string }\nfunction dr.step(name, fn, options) end"
        ),
        FlowFunction(
            name: "call", signature: "call(runbook, parameters?, { deadline? })",
            summary:
                "Runs another runbook in this run: `require` gives it. Parameters are checked as on the command line, what it ensures must hold when it has ended; "
                + "its undos stand on the run's ledger. Returns what its `run` returns; one that is under way cannot be called.",
            stub:
                "---@param runbook DRRunbook\n---@param parameters? table\n---@param options? { deadline?: string }\n---@return any ...\nfunction dr.call(runbook, parameters, options) end"
        ),
        FlowFunction(
            name: "undo", signature: "undo(fn, { application?, while_active_at?, name? })",
            summary:
                "Registers what takes back what was done: called in reverse order when the run fails or is stopped with --undo. Of an application that went live "
                + "elsewhere nothing is undone.",
            stub:
                "---@param fn fun()\n---@param options? { application?: string, while_active_at?: string, name?: string }\nfunction dr.undo(fn, options) end"
        ),
        FlowFunction(
            name: "finally", signature: "finally(fn)",
            summary: "Registers what is done when the run ends, however it ends, after all undos.",
            stub: "---@param fn fun()\nfunction dr.finally(fn) end"),
        FlowFunction(
            name: "results", signature: "results(table)",
            summary: "Adds to what the run gives to its report, and to later runs through `previous`.",
            stub: "---@param values table\nfunction dr.results(values) end"),
        FlowFunction(
            name: "previous", signature: "previous{ runbook?, outcome? }",
            summary:
                "The newest run before this one, of this runbook if no other is said: { run, runbook, outcome, started, finished, results, parameters }, or nil.",
            stub: "---@param options? { runbook?: string, outcome?: string }\n---@return table?\nfunction dr.previous(options) end"),
        FlowFunction(
            name: "settle", signature: "settle()",
            summary: "Forgets the undos registered so far, in a called runbook those that it registered: what was done stays.",
            stub: "function dr.settle() end"),
        FlowFunction(
            name: "attempt", signature: "attempt(name, fn)", summary: "As step, but a failure is returned: ok, value or error.",
            stub:
                "---@param name string\n---@param fn fun(): any\n---@return boolean ok, any value_or_error\nfunction dr.attempt(name, fn) end"
        ),
        FlowFunction(
            name: "parallel", signature: "parallel{ fn, ... }",
            summary: "Runs functions as branches, waits for all, returns their results in order; then raises one error that holds all.",
            stub: "---@param branches (fun(): any)[]\n---@return any ...\nfunction dr.parallel(branches) end"),
        FlowFunction(
            name: "in_order", signature: "in_order(items, { parallel?, reverse?, on_failure?, after?, raise? }, fn)",
            summary:
                "Calls fn for each item in the order of `after`; on_failure is \"stop\" (default), \"skip_dependents\" or \"continue\".",
            stub:
                "---@param items \"all\"|(string|{ name: string, after?: string[] })[]\n---@param options table\n---@param fn fun(item: { name: string }): any\n"
                + "---@return table<string, { state: string }>\nfunction dr.in_order(items, options, fn) end"),
        FlowFunction(
            name: "retry", signature: "retry({ times?, every?, backoff?, on? }, fn)",
            summary: "Calls fn again after a failure (of the codes in `on`), at most `times` times.",
            stub:
                "---@param options { times?: integer, every?: string, backoff?: number, on?: string[] }\n---@param fn fun(attempt: integer): any\n"
                + "function dr.retry(options, fn) end"),
        FlowFunction(
            name: "wait_until", signature: "wait_until({ timeout, every? }, fn)",
            summary: "Calls fn until it returns something true; raises `timeout`.",
            stub: "---@param options { timeout: string, every?: string }\n---@param fn fun(): any\nfunction dr.wait_until(options, fn) end"),
        FlowFunction(
            name: "sleep", signature: "sleep(duration)", summary: "Waits; a restart does not begin the wait anew.",
            stub: "---@param duration string|DRDuration\nfunction dr.sleep(duration) end"),
        FlowFunction(
            name: "log", signature: "log(format, ...)", summary: "Writes a line into the record of the run.",
            stub: "---@param format string\nfunction dr.log(format, ...) end"),
        FlowFunction(
            name: "fail", signature: "fail(message)", summary: "Ends the runbook as failed, unless caught.",
            stub: "---@param message string\nfunction dr.fail(message) end"),
        FlowFunction(name: "now", signature: "now()", summary: "The time, journaled.", stub: "---@return DRTime\nfunction dr.now() end"),
        FlowFunction(
            name: "params", signature: "params", summary: "The parameters of the runbook that is run; in a called one, its own.",
            stub: "---@type table<string, any>\ndr.params = {}"),
        FlowFunction(
            name: "running_as", signature: "running_as",
            summary: "\"live\", or \"drill\" in a drill and in the hooks of `drill`: what is being run, planned or tested.",
            stub: "---@type \"live\"|\"drill\"\ndr.running_as = \"live\""),
        FlowFunction(
            name: "random", signature: "random()", summary: "A number from 0 up to 1, journaled.",
            stub: "---@return number\nfunction dr.random() end"),
        FlowFunction(
            name: "time", signature: "time(text)",
            summary: "A time from RFC 3339; times compare, `t2 - t1` is a duration, `t + \"15m\"` a time.",
            stub: "---@param text string\n---@return DRTime\nfunction dr.time(text) end"),
        FlowFunction(
            name: "duration", signature: "duration(text)", summary: "A duration from \"90s\", \"15m\", \"2h\"; `:seconds()` is a number.",
            stub: "---@param text string\n---@return DRDuration\nfunction dr.duration(text) end"),
        FlowFunction(
            name: "secret", signature: "secret(name)",
            summary:
                "A handle of a secret that dr.yaml allows, for exec.env, exec.stdin, http.headers and notify.token; nothing else takes it.",
            stub: "---@param name string\n---@return DRSecret\nfunction dr.secret(name) end"),
        FlowFunction(
            name: "json", signature: "json.encode(value) | json.decode(text) | json.null", summary: "JSON in and out.",
            stub:
                "dr.json = {}\n---@param value any\n---@return string\nfunction dr.json.encode(value) end\n---@param text string\nfunction dr.json.decode(text) end"
        ),
    ]
}
