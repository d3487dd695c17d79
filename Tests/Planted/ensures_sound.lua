return dr.runbook {
  name = "it does what it ensures",
  ensures = { active = { ledger = "west", storefront = "west" }, before = { { "ledger", "storefront" } } },
  run = function() dr.failover { pair = "east-west", applications = "all", mode = "planned" } end,
}
