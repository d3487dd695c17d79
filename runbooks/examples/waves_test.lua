local t = require "dr.test"

local function bank(sim)
  sim:load "fixtures/bank.yaml"
  sim:answer("http", { url = "https://lb.example.com/*" }, { status = 200 })
end

t.case("the bank moves in waves, and its traffic last", function(sim)
  bank(sim)
  local run = sim:run("waves.lua", { reason = "test" })
  t.outcome(run, "succeeded")
  for _, name in ipairs { "ledger", "payments", "portal", "reports" } do t.active(sim, name, "west") end
  t.before(run, "stop portal", "stop payments")
  t.before(run, "start payments", "start portal")
  t.before(run, "start portal", "start reports")
  t.called(run, { kind = "http", url = "https://lb.example.com/pools/portal" }, 2)
end)

t.case("the first wave fails: nothing has moved, and the traffic is open again", function(sim)
  bank(sim)
  sim:fault { at = "core/failover/last-sync", kind = "error" }
  local run = sim:run("waves.lua", { reason = "test" })
  t.outcome(run, "failed")
  t.active(sim, "ledger", "east")
  t.active(sim, "portal", "east")
  t.called(run, { kind = "http", url = "https://lb.example.com/pools/portal" }, 2)
end)

t.case("the second wave fails: the core stays at west, the report says what is where", function(sim)
  bank(sim)
  sim:fault { at = "front/failover/last-sync", kind = "error" }
  local run = sim:run("waves.lua", { reason = "test" })
  t.outcome(run, "partial")
  t.active(sim, "ledger", "west")
  t.active(sim, "portal", "east")
  t.active(sim, "reports", "east")
end)

t.case("a stop fails though all is stopped: what was running runs again, nothing before what it needs", function(sim)
  bank(sim)
  sim:fault { at = "core/failover/payments/stop", kind = "error" }
  local run = sim:run("waves.lua", { reason = "test" })
  t.outcome(run, "failed")
  t.before(run, "scale StatefulSet bank-ledger/ledger 0->1 @east", "scale StatefulSet bank-payments/payments 0->1 @east")
  t.before(run, "scale StatefulSet bank-payments/payments 0->1 @east", "scale StatefulSet bank-portal/portal 0->1 @east")
  for _, name in ipairs { "ledger", "payments", "portal", "reports" } do t.active(sim, name, "east") end
end)

for _, fault in ipairs { { at = "core/failover/ledger/start", kind = "lost-reply" }, { at = "core/failover/payments/start", kind = "error" } } do
  t.case(fault.kind .. " at " .. fault.at .. ": payments only go forward, and the portal does not run without them", function(sim)
    bank(sim)
    sim:fault(fault)
    local run = sim:run("waves.lua", { reason = "test" })
    t.outcome(run, "partial")
    t.active(sim, "ledger", "west")
    t.active(sim, "reports", "east")
    local states = {}
    for _, undo in ipairs(run.undos) do states[undo.name] = undo.state end
    t.equal(states["stop portal"], "owed")
    t.ok(not pcall(sim.write, sim, "portal", "east"), "the portal runs")
  end)
end

for _, place in ipairs { "drain/http", "core/failover/ledger/start", "front/failover/last-sync", "open/http" } do
  t.case("killed after " .. place .. " and carried on", function(sim)
    bank(sim)
    sim:fault { at = place, kind = "crash", when = "after" }
    local run = sim:run("waves.lua", { reason = "test" })
    t.outcome(run, "interrupted")
    run = sim:resume(run)
    t.outcome(run, "succeeded")
    t.active(sim, "portal", "west")
  end)
end

t.case("rehearsed: clones go live, what it ensures is asked of them, and nothing is left", function(sim)
  bank(sim)
  local run = sim:drill("waves.lua", { reason = "test" })
  t.outcome(run, "succeeded")
  t.active(sim, "ledger", "east")
  t.nothing_left(sim)
end)
