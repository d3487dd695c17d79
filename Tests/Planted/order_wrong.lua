-- expected: dependencies
-- The ledger is stopped while the storefront, which needs it, still runs.
return dr.runbook {
  name = "stop in the wrong order",
  run = function()
    dr.quiesce { pair = "east-west", applications = { "ledger" } }
    dr.quiesce { pair = "east-west", applications = { "storefront" } }
    dr.migrate { pair = "east-west", applications = "all", final = true }
    dr.activate { pair = "east-west", applications = "all", recovery_point = "latest", mode = "planned" }
  end,
}
