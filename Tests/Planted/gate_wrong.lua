-- expected: gate
-- People are asked when nothing can be taken back any more.
return dr.runbook {
  name = "the gate after the switch",
  run = function()
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
    dr.approve { name = "cutover", message = "Is the shop to live at west?" }
  end,
}
