local t = require "dr.test"

t.case("clones start, answer and are gone; nothing moved", function(sim)
  sim:load "fixtures/bank.yaml"
  local run = sim:run "drill.lua"
  t.outcome(run, "succeeded")
  t.nothing_left(sim)
  t.active(sim, "ledger", "east")
end)

t.case("a clone that does not start: the others are removed all the same", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:fault { at = "drill/portal/start_clone", kind = "error" }
  local run = sim:run "drill.lua"
  t.outcome(run, "failed")
  t.nothing_left(sim)
end)

t.case("killed in the middle and carried on: nothing is left", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:fault { at = "drill/payments/start_clone", kind = "crash", when = "after" }
  local run = sim:run "drill.lua"
  t.outcome(run, "interrupted")
  t.outcome(sim:resume(run), "succeeded")
  t.nothing_left(sim)
end)
