local t = require "dr.test"

t.case("west alone is enough, and the risk of a second writer is said", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:down "east"
  local run = sim:run("takeover.lua", { evidence = "the building is gone" })
  t.outcome(run, "succeeded")
  t.active(sim, "ledger", "west")
  t.untouched(run, "east")
  t.logged(run, "east may still write")
end)

t.case("nothing lies at west: nothing happens", function(sim)
  sim:world { config = "dr.yaml" }
  sim:down "east"
  local run = sim:run("takeover.lua", { evidence = "the building is gone" })
  t.outcome(run, "failed")
  t.effects(run, {})
end)
