local t = require "dr.test"

local function lost(sim)
  sim:load "fixtures/bank.yaml"
  sim:down "east"
end

t.case("two of the duty decide, and the bank lives at west", function(sim)
  lost(sim)
  sim:approve("disaster", { "alice", "bob" })
  local run = sim:run("disaster.lua", { evidence = "no power" })
  t.outcome(run, "succeeded")
  for _, name in ipairs { "ledger", "payments", "portal", "reports" } do t.active(sim, name, "west") end
  t.untouched(run, "east")
end)

t.case("one is not enough", function(sim)
  lost(sim)
  sim:approve("disaster", { "alice" })
  local run = sim:run("disaster.lua", { evidence = "no power" })
  t.waiting(run, "disaster")
  t.effects(run, {})
end)

t.case("somebody says no: nothing happens", function(sim)
  lost(sim)
  sim:reject("disaster", { "carol" })
  local run = sim:run("disaster.lua", { evidence = "no power" })
  t.error(run, "rejected")
  t.effects(run, {})
end)

t.case("old data goes live only when somebody accepts the loss", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:advance "2h"
  sim:down "east"
  sim:approve("disaster", { "alice", "bob" })
  t.error(sim:run("disaster.lua", { evidence = "no power" }), "data-loss")
  sim:approve("disaster", { "alice", "bob" })
  local run = sim:run("disaster.lua", { evidence = "no power", accept_data_loss = "3h" })
  t.outcome(run, "target-missed")
  t.active(sim, "ledger", "west")
end)
