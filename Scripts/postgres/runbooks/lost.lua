return dr.runbook {
  name = "lost", summary = "Takes the bank over at west without east.",
  run = function()
    dr.failover {
      pair = "east-west", applications = { "bank" }, mode = "disaster", source_down = { evidence = "the power is off", fenced = "power" },
    }
  end,
}
