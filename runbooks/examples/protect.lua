-- Puts the bank under protection: pair and schedule exist, everything is checked, a first recovery point lies at west.
return dr.runbook {
  name = "protect the bank",
  summary = "Sets up replication from east to west and makes the first recovery points.",
  params = {
    interval = { type = "duration", default = "15m", summary = "How often the schedule copies." },
  },
  run = function(p)
    local pair = dr.pair { name = "east-west", source = "east", destination = "west", object_store = "vault", both_ways = true }
    dr.schedule {
      name = "bank", pair = pair, applications = "all", interval = p.interval, retain = { last = 8, hourly = 24, daily = 14 },
    }
    dr.checks { pair = pair, applications = "all", warn_only = { ["recovery-point-fresh"] = "the first one is made below" } }
    local copied = dr.migrate { pair = pair, applications = "all" }
    for name, a in pairs(copied.applications) do dr.log("%s: %s", name, a.recovery_point) end
  end,
}
