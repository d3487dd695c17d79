-- While the shop lives at home its schedule has to go on.
return dr.runbook {
  name = "silence for the move",
  run = function()
    dr.undo(function() dr.resume_schedule { name = "shop" } end, { name = "the schedule", application = "ledger", while_active_at = "east" })
    dr.suspend_schedule { name = "shop" }
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
