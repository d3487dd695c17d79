local t = require "dr.test"

-- The shop lives at west after a disaster, and east is back.
local function moved(sim)
  sim:load "fixtures/shop.yaml"
  sim:down "east"
  t.outcome(sim:run("disaster.lua", { evidence = "no power" }), "succeeded")
  sim:heal()
end

t.case("the shop goes home and loses nothing", function(sim)
  moved(sim)
  local last = sim:write("ledger", "west")
  local run = sim:run("home.lua")
  t.outcome(run, "succeeded")
  t.active(sim, "ledger", "east")
  t.active(sim, "storefront", "east")
  t.before(run, "stop storefront", "stop ledger")
  t.rpo(run, "ledger", "==", "0s")
  t.ok(sim:read("ledger", "east"):find("write " .. last, 1, true))
end)

t.case("what is home already stays there, and nothing changes", function(sim)
  sim:load "fixtures/shop.yaml"
  local run = sim:run("home.lua")
  t.outcome(run, "succeeded")
  t.effects(run, {})
end)

for _, kind in ipairs { "error", "timeout", "lost-reply", "source-unreachable" } do
  t.case("the last sync home ends with " .. kind .. ": the shop stays at west", function(sim)
    moved(sim)
    sim:fault { at = "last-sync", kind = kind }
    local run = sim:run("home.lua")
    t.outcome(run, "failed")
    t.active(sim, "ledger", "west")
    t.active(sim, "storefront", "west")
  end)
end
