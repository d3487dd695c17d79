-- expected: gate
-- A no is caught, and the switch is made all the same.
return dr.runbook {
  name = "a no that does not count",
  run = function()
    local ok = pcall(dr.approve, { name = "cutover", message = "Move the shop?" })
    if not ok then dr.log("nobody said yes, going on") end
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
