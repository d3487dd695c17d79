return dr.runbook {
  name = "move", summary = "Moves the bank to west, as planned.",
  run = function() dr.failover { pair = "east-west", applications = { "bank" }, mode = "planned" } end,
}
