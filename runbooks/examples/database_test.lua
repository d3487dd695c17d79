local t = require "dr.test"

t.case("three replicas and the virtual machine run at west before the ledger takes writes", function(sim)
  sim:load "fixtures/database.yaml"
  local run = sim:run "database.lua"
  t.outcome(run, "succeeded")
  t.active(sim, "ledger", "west")
  t.before(run, "scale StatefulSet bank-ledger/pg 0->3", "patch ConfigMap bank-ledger/mode")
end)

t.case("too few replicas: the ledger stays read-only, and the report says where it is", function(sim)
  sim:load "fixtures/database.yaml"
  local run = sim:run("database.lua", { replicas = 5 })
  t.outcome(run, "partial")
  t.active(sim, "ledger", "west")
end)
