local t = require "dr.test"

local function moved(sim)
  sim:load "fixtures/bank.yaml"
  sim:down "east"
  sim:approve("disaster", { "alice", "bob" })
  t.outcome(sim:run("disaster.lua", { evidence = "no power" }), "succeeded")
  sim:heal()
end

t.case("the bank goes home in the window and loses nothing", function(sim)
  moved(sim)
  local last = sim:write("ledger", "west")
  local run = sim:run "failback.lua"
  t.outcome(run, "succeeded")
  for _, name in ipairs { "ledger", "payments", "portal", "reports" } do t.active(sim, name, "east") end
  t.rpo(run, "ledger", "==", "0s")
  t.ok(sim:read("ledger", "east"):find("write " .. last, 1, true))
end)

t.case("the last sync fails: the bank stays at west", function(sim)
  moved(sim)
  sim:fault { at = "last-sync", kind = "error" }
  local run = sim:run "failback.lua"
  t.outcome(run, "failed")
  t.active(sim, "ledger", "west")
end)
