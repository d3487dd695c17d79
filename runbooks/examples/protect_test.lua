local t = require "dr.test"

t.case("an unprotected bank has a recovery point of each application afterwards", function(sim)
  sim:world { config = "dr.yaml", applied = false }
  local run = sim:run "protect.lua"
  t.outcome(run, "succeeded")
  t.before(run, "create ClusterPair east-west", "create Schedule bank")
  for _, name in ipairs { "ledger", "payments", "portal", "reports" } do
    t.logged(run, name .. ": ")
    t.active(sim, name, "east")
  end
end)

t.case("a store that does not answer fails the copy and leaves everything where it is", function(sim)
  sim:world { config = "dr.yaml", applied = false }
  sim:fault { at = "migrate", kind = "store-unreachable" }
  local run = sim:run "protect.lua"
  t.outcome(run, "failed")
  t.active(sim, "ledger", "east")
end)
