-- Tries the failover without touching anything: isolated clones at west, looked at, and removed however the run ends.
return dr.runbook {
  name = "bank drill",
  summary = "Starts clones of the bank at west, waits until they answer, removes them.",
  params = {
    ttl = { type = "duration", default = "2h", summary = "When the clones go at the latest, even if this host has died." },
  },
  run = function(p)
    local drill = dr.drill {
      pair = "east-west", applications = "all", ttl = p.ttl,
      on = { ready = function(app) dr.log("the clone of %s answers", app.name) end },
    }
    dr.finally(function()
      local ended = dr.cleanup { drill = drill }
      dr.log("removed %d, left %d", ended.removed, #ended.left)
    end)
    dr.results { ready_in = drill.rto }
    dr.log("ready in %s", drill.rto)
  end,
}
