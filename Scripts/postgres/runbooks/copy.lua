return dr.runbook {
  name = "copy", summary = "Copies the bank while it runs.",
  run = function()
    local report = dr.migrate { pair = "east-west", applications = { "bank" } }
    local copied = report.applications.bank
    if copied.consistency ~= "crash" then dr.fail("the point is " .. copied.consistency) end
  end,
}
