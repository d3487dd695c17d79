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

t.case("somebody does not like what is seen: the name stays", function(sim)
  bank(sim)
  sim:reject("look", { "carol" })
  local run = sim:run "dns.lua"
  t.error(run, "rejected")
  t.called(run, { kind = "exec" }, 0)
end)

t.case("west does not answer through its name: the name goes back", function(sim)
  sim:load "fixtures/bank.yaml"
  sim:answer("exec", { name = "dns-switch" }, { code = 0 })
  sim:answer("http", { url = "https://west.example.com/health" }, { status = 503 })
  sim:approve("look", { "carol" })
  local run = sim:run "dns.lua"
  t.ok(run.outcome ~= "succeeded")
  t.called(run, { kind = "exec", name = "dns-switch" }, 2)
end)
