return dr.runbook {
  name = "planned, or not at all",
  run = function()
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
