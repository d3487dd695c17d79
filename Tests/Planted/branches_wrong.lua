-- expected: dependencies
-- Two branches: which application goes first is left to chance.
return dr.runbook {
  name = "both at once",
  run = function()
    dr.parallel {
      function() dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" } end,
      function() dr.failover { pair = "east-west", applications = { "storefront" }, mode = "planned" } end,
    }
  end,
}
