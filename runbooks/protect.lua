-- Puts the shop under protection: the pair and the schedule exist, all is checked, and three recovery points lie at the destination.
return dr.runbook {
  name = "protect the shop",
  summary = "Pairs east with west, declares the schedule, copies the shop once in full and twice incrementally.",
  params = {
    interval = { type = "duration", default = "15m", summary = "How often the schedule copies." },
    pause = { type = "duration", default = "2s", summary = "Between the copies." },
  },
  run = function(p)
    local pair = dr.pair {
      name = "east-west", source = "east", destination = "west", object_store = "vault", both_ways = true,
    }
    dr.schedule {
      name = "shop", pair = pair, applications = "all", interval = p.interval, retain = { last = 8, hourly = 24, daily = 14 },
    }
    dr.checks { pair = pair, applications = "all", warn_only = { ["recovery-point-fresh"] = "the first one is made below" } }
    for _, name in ipairs { "first copy", "first increment", "second increment" } do
      dr.step(name, function()
        local copied = dr.migrate { pair = pair, applications = "all" }
        for app, m in pairs(copied.applications) do
          dr.log("%s: %s, read %d bytes, sent %d bytes", app, m.consistency, m.bytes_read, m.bytes_sent)
        end
        dr.sleep(p.pause)
      end)
    end
  end,
}
