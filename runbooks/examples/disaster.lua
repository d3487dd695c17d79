-- East is lost. Two people decide, and all applications go live from one instant, so that ledger and payments agree with each other.
local say = require "lib.say"

return dr.runbook {
  name = "bank disaster",
  summary = "Makes the bank live at west when east is lost, from one instant for all.",
  params = {
    evidence = { type = "string", required = true, summary = "What shows that east is down." },
    fenced = { type = "string", default = "power", summary = "How east was cut off: power, storage, network or none." },
    max_skew = { type = "duration", default = "1m", summary = "How far apart the recovery points may be." },
    accept_data_loss = { type = "duration", summary = "Data up to this age may be lost though the target is smaller." },
  },
  ensures = { before = { { "ledger", "payments" }, { "payments", "portal" } } },
  run = function(p)
    local points = dr.recovery_points { pair = "east-west", applications = "all" }
    if #points == 0 then dr.fail("west has no verified recovery point") end
    dr.approve {
      name = "disaster", message = "East is lost. Make the bank live at west?", quorum = 2, groups = { "duty" }, timeout = "2h",
      show = { evidence = p.evidence, newest = points[1].id },
    }
    say.moved(dr.failover {
      pair = "east-west", applications = "all", mode = "disaster",
      recovery_point = { at_or_before = dr.now(), max_skew = p.max_skew },
      source_down = { evidence = p.evidence, fenced = p.fenced }, accept_data_loss = p.accept_data_loss,
    })
    dr.notify { to = "oncall", text = "the bank lives at west: " .. p.evidence, always = true }
  end,
}
