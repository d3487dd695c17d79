return dr.runbook {
  name = "the gate before the switch",
  run = function()
    dr.approve { name = "cutover", message = "Is the shop to live at west?" }
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
