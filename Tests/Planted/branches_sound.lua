-- What does not matter to each other goes side by side; the move itself keeps the order.
return dr.runbook {
  name = "copies at once, the move in order",
  run = function()
    dr.parallel {
      function() dr.migrate { pair = "east-west", applications = { "ledger" } } end,
      function() dr.migrate { pair = "east-west", applications = { "storefront" } } end,
    }
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
