extension FlowFunction {
    /// How it is called, by name: what an editor shows beside the summary. Each loads in a runbook's `run`.
    static let examples: [String: String] = [
        "runbook":
            #"return dr.runbook { name = "move", run = function(p) dr.failover { pair = "east-west", applications = "all", mode = "planned" } end }"#,
        "step": #"dr.step("copy ahead", function() dr.migrate { pair = "east-west", applications = "all" } end)"#,
        "call": #"local drain = require "drain" dr.call(drain, { pool = "shop" })"#,
        "undo":
            #"dr.undo(function() dr.log("open again") end, { application = "ledger", while_active_at = "east" })"#,
        "finally": #"dr.finally(function() dr.log("however it ended") end)"#,
        "results": #"dr.results { rto_seconds = 42 }"#,
        "previous": #"local last = dr.previous { outcome = "succeeded" } if last then dr.log("%s", last.run) end"#,
        "settle": #"dr.settle()"#,
        "attempt":
            #"local ok, e = dr.attempt("warm up", function() dr.wait_ready { cluster = "west", kind = "StatefulSet", namespace = "shop-db", name = "pg" } end)"#,
        "parallel": #"local a, b = dr.parallel { function() return 1 end, function() return 2 end }"#,
        "in_order":
            #"dr.in_order({ "ledger", "storefront" }, { parallel = 2, on_failure = "skip_dependents" }, function(item) dr.log(item.name) end)"#,
        "retry":
            #"dr.retry({ times = 3, every = "10s", backoff = 2, on = { "timeout" } }, function() dr.migrate { pair = "east-west", applications = "all" } end)"#,
        "wait_until":
            #"dr.wait_until({ timeout = "10m", every = "15s" }, function() return dr.status { application = "ledger" }.protected end)"#,
        "sleep": #"dr.sleep("30s")"#,
        "log": #"dr.log("%s lives at %s", "ledger", "west")"#,
        "fail": #"dr.fail("the standby is too old")"#,
        "now": #"local began = dr.now() dr.log("took %s", dr.now() - began)"#,
        "params": #"dr.log("why: %s", dr.params.reason)"#,
        "running_as": #"if dr.running_as == "live" then dr.log("for real") end"#,
        "random": #"if dr.random() < 0.5 then dr.log("heads") end"#,
        "time": #"if dr.now() > dr.time("2026-03-01T06:00:00Z") then dr.fail("too late for the window") end"#,
        "duration": #"local limit = dr.duration("15m") dr.log("%d s", limit:seconds())"#,
        "secret": #"dr.http { url = "https://lb.example.com/pools/", headers = { Authorization = dr.secret("LB_TOKEN") } }"#,
        "json": #"local body = dr.json.encode { drain = true, reason = dr.json.null }"#,
    ]

    var example: String? { Self.examples[name] }
}
