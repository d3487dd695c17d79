-- The source is back and mended: the shop goes home and loses no transaction.
return dr.runbook {
  name = "shop home",
  summary = "Brings the shop back from west to east, as a planned failover over the reversed pair.",
  run = function()
    local f = dr.failback {
      pair = "east-west", applications = "all",
      on = {
        stopping = function(app) dr.log("draining %s", app.name) end,
        ready = function(app) dr.log("%s answers at east", app.name) end,
      },
    }
    for name, a in pairs(f.applications) do
      dr.log("%s live at %s, rpo %s, rto %s", name, a.active_at, a.rpo, a.rto)
    end
  end,
}
