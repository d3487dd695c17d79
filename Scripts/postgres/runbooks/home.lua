return dr.runbook {
  name = "home", summary = "Brings the bank back to east.",
  run = function() dr.failback { pair = "east-west", applications = { "bank" } } end,
}
