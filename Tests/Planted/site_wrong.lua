-- expected: end-state
-- What goes wrong is caught, and the check looks whether the ledger runs anywhere.
return dr.runbook {
  name = "a check that passes for the wrong site",
  run = function()
    local ok, e = pcall(dr.failover, { pair = "east-west", applications = "all", mode = "planned" })
    if not ok then dr.log("the failover said: %s", tostring(e)) end
    if not dr.status { application = "ledger" }.running then dr.fail("the ledger does not run") end
  end,
}
