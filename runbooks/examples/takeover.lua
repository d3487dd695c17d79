-- From a fresh host, with dr.yaml and west alone: says what lies there, then makes it live. Nothing is asked of east.
local say = require "lib.say"

return dr.runbook {
  name = "bank takeover",
  summary = "Makes the bank live at west from a host that knows nothing but dr.yaml.",
  params = {
    evidence = { type = "string", required = true, summary = "What shows that east is down." },
    accept_data_loss = { type = "duration", summary = "Data up to this age may be lost though the target is smaller." },
  },
  run = function(p)
    local oldest
    for _, point in ipairs(dr.recovery_points { pair = "east-west", applications = "all" }) do
      dr.log("%s, %s old", point.id, point.age)
      oldest = oldest or point.age
    end
    if not oldest then dr.fail("west has no verified recovery point: nothing can be made live") end
    dr.checks { pair = "east-west", applications = "all", without_source = true }
    say.moved(dr.failover {
      pair = "east-west", applications = "all", mode = "disaster", accept_data_loss = p.accept_data_loss,
      source_down = { evidence = p.evidence, fenced = "none" },
    })
    -- `fenced = "none"`: nobody has cut east off. Not asked of east: it is lost.
    dr.log("east may still write: fence it before anybody trusts both")
  end,
}
