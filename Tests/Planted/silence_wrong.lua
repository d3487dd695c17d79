-- expected: schedules
-- Nothing is copied during the move. Where it fails, nothing is copied ever after.
return dr.runbook {
  name = "silence for the move",
  run = function()
    dr.suspend_schedule { name = "shop" }
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
