local t = require "dr.test"

t.case("all is well: people are told once", function(sim)
  sim:load "fixtures/bank.yaml"
  t.outcome(sim:run "readiness.lua", "succeeded")
  local again = sim:run "readiness.lua"
  t.outcome(again, "succeeded")
  t.called(again, { kind = "notify" }, 0)
end)

t.case("the copies are too old: people are told, and the job fails", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:advance "6h"
  local run = sim:run "readiness.lua"
  t.outcome(run, "failed")
  t.called(run, { kind = "notify" })
end)
