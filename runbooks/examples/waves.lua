-- A planned failover in waves: traffic is drained and everything stopped first, each wave must answer before the next one moves, and after a failure what
-- has not moved runs again and the traffic is open where the application lives.
local lb = require "lib.lb"
local say = require "lib.say"

local waves = {
  { name = "core", applications = { "ledger", "payments" } },
  { name = "front", applications = { "portal" } },
  { name = "rest", applications = { "reports" } },
}

return dr.runbook {
  name = "bank by waves",
  summary = "Moves the bank from east to west in three waves, with its traffic.",
  params = {
    reason = { type = "string", required = true, summary = "Why it moves; stands in the record." },
  },
  ensures = { active = { ledger = "west", payments = "west", portal = "west", reports = "west" }, before = { { "ledger", "payments" } } },
  run = function(p)
    dr.log("reason: %s", p.reason)
    dr.checks { pair = "east-west", applications = "all" }
    dr.step("drain", function()
      -- Before the drain: whatever happens after it, the pool opens again, at the site where the portal then is.
      dr.undo(function() lb.open("portal", dr.status { application = "portal" }.active_at) end)
      lb.drain("portal")
    end)
    -- In reverse order, before anything moves: nothing runs while what it needs runs nowhere.
    dr.step("stop", function() dr.quiesce { pair = "east-west", applications = "all" } end)
    for _, wave in ipairs(waves) do
      dr.step(wave.name, function()
        say.moved(dr.failover {
          pair = "east-west", applications = wave.applications, mode = "planned",
          on = { ready = function(app) dr.log("%s answers at west", app.name) end },
        })
      end)
    end
    dr.step("open", function() lb.open("portal", "west") end)
    dr.notify { to = "oncall", text = "the bank lives at west" }
  end,
}
