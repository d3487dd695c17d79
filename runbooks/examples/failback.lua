-- Brings the bank home in the maintenance window: the run waits for it without holding a lock, and copies first, so that the window is short.
local say = require "lib.say"

return dr.runbook {
  name = "bank failback",
  summary = "Brings the bank home to east on Saturday night.",
  params = {
    window = { type = "string", default = "0 22 * * 6", summary = "When it may move, as five fields of cron, in UTC." },
  },
  ensures = { active = { ledger = "east", payments = "east", portal = "east", reports = "east" } },
  run = function(p)
    -- What was written since the disaster goes east now; the last sync in the window is then small.
    dr.step("copy ahead", function() dr.migrate { pair = "east-west", applications = "all", reversed = true } end)
    dr.window { cron = p.window, length = "6h" }
    dr.checks { pair = "east-west", applications = "all", reversed = true }
    say.moved(dr.failback { pair = "east-west", applications = "all" })
    dr.notify { to = "oncall", text = "the bank is home" }
  end,
}
