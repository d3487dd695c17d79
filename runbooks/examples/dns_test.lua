local t = require "dr.test"

local function bank(sim)
  sim:load "fixtures/bank.yaml"
  sim:answer("exec", { name = "dns-switch" }, { code = 0 })
  sim:answer("http", { url = "https://west.example.com/health" }, { status = 200 })
end

t.case("the name moves after somebody looked", function(sim)
  bank(sim)
  sim:approve("look", { "carol" })
  local run = sim:run "dns.lua"
  t.outcome(run, "succeeded")
  t.called(run, { kind = "exec", name = "dns-switch" }, 1)
end)

t.case("somebody does not like what is seen: the bank goes home, and the name never moved", function(sim)
  bank(sim)
  sim:reject("look", { "carol" })
  local run = sim:run "dns.lua"
  t.error(run, "rejected")
  for _, name in ipairs { "ledger", "payments", "portal", "reports" } do t.active(sim, name, "east") end
  t.called(run, { kind = "exec" }, 0)
end)

t.case("west does not answer through its name: the bank and the name go home", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:answer("exec", { name = "dns-switch" }, { code = 0 })
  sim:answer("http", { url = "https://west.example.com/health" }, { status = 503 })
  sim:approve("look", { "carol" })
  local run = sim:run "dns.lua"
  t.error(run, "outside-failed")
  t.active(sim, "portal", "east")
  t.called(run, { kind = "exec", argv = { "dns-switch", "bank.example.com", "west" } }, 1)
  t.called(run, { kind = "exec", argv = { "dns-switch", "bank.example.com", "east" } }, 1)
end)
