local t = require "dr.test"

t.case("in time: nothing is left and the time is kept", function(sim)
  sim:load "fixtures/bank.yaml"
  t.outcome(sim:run "weekly_drill.lua", "succeeded")
  local run = sim:run "weekly_drill.lua"
  t.outcome(run, "succeeded")
  t.logged(run, "last time")
  t.nothing_left(sim)
end)

t.case("too slow: people are told, the job fails, and nothing is left", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:fault { at = "drill/ledger/start_clone", kind = "slow", delay = "30m" }
  local run = sim:run "weekly_drill.lua"
  t.outcome(run, "failed")
  t.called(run, { kind = "notify" })
  t.nothing_left(sim)
end)
