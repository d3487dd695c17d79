-- The source is lost: the shop goes live at the destination from its newest recovery points. Nothing of the source is touched.
return dr.runbook {
  name = "shop disaster",
  summary = "Makes the shop live at west when east is lost.",
  params = {
    evidence = { type = "string", required = true, summary = "What shows that east is down." },
    fenced = { type = "string", default = "power", summary = "How east was cut off: power, storage, network or none." },
    accept_data_loss = { type = "duration", summary = "Data up to this age may be lost, though the target is smaller." },
  },
  run = function(p)
    local f = dr.failover {
      pair = "east-west", applications = "all", mode = "disaster",
      source_down = { evidence = p.evidence, fenced = p.fenced },
      accept_data_loss = p.accept_data_loss,
      on = {
        starting = function(app) dr.log("starting %s", app.name) end,
        ready = function(app) dr.log("%s answers at west", app.name) end,
      },
    }
    for name, a in pairs(f.applications) do
      dr.log("%s live at %s, rpo %s, rto %s", name, a.active_at, a.rpo, a.rto)
    end
  end,
}
