-- For a job that runs every week: a drill whose time is compared with the target and with the last one. It fails when people should look.
return dr.runbook {
  name = "weekly drill",
  summary = "Proves each week that the bank starts at west in time.",
  params = {
    target = { type = "duration", default = "15m", summary = "How long it may take until all clones answer." },
  },
  run = function(p)
    local before = dr.previous { outcome = "succeeded" }
    local drill = dr.drill { pair = "east-west", applications = "all", ttl = "3h", suffix = "weekly" }
    dr.finally(function() dr.cleanup { drill = drill } end)
    dr.results { rto_seconds = drill.rto:seconds() }
    if before then dr.log("ready in %s; last time %s s", drill.rto, before.results.rto_seconds) end
    if drill.rto > p.target then
      dr.notify { to = "oncall", text = "the drill took longer than its target", in_drill = "run" }
      dr.fail(string.format("ready in %s, target %s", drill.rto, p.target))
    end
  end,
}
