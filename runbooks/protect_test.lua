local t = require "dr.test"

t.case("an unprotected shop has three recovery points afterwards", function(sim)
  sim:world { config = "../Demo/dr.yaml", applied = false }
  local run = sim:run("protect.lua")
  t.outcome(run, "succeeded")
  t.before(run, "create ClusterPair east-west", "create Schedule shop")
  t.before(run, "publish RecoveryPoint ledger rp#1", "publish RecoveryPoint ledger rp#3")
  t.active(sim, "ledger", "east")
end)

t.case("protecting what is protected changes neither pair nor schedule", function(sim)
  sim:load "fixtures/shop.yaml"
  local run = sim:run("protect.lua")
  t.outcome(run, "succeeded")
  for _, effect in ipairs(t.effects(run)) do t.ok(not effect:find("^create"), effect) end
end)

t.case("a store that does not answer fails the copy, and nothing else", function(sim)
  sim:load "fixtures/shop.yaml"
  sim:fault { at = "first copy/migrate", kind = "store-unreachable" }
  local run = sim:run("protect.lua")
  t.outcome(run, "failed")
  t.error(run, "store-unreachable")
  t.active(sim, "ledger", "east")
  t.active(sim, "storefront", "east")
end)

t.case("killed in the second copy, it is carried on", function(sim)
  sim:load "fixtures/shop.yaml"
  sim:fault { at = "first increment/migrate", kind = "crash", when = "after" }
  local run = sim:run("protect.lua")
  t.outcome(run, "interrupted")
  run = sim:resume(run)
  t.outcome(run, "succeeded")
  t.nothing_left(sim)
end)
