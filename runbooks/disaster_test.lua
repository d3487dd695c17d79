local t = require "dr.test"

local function lost(sim)
  sim:load "fixtures/shop.yaml"
  sim:down "east"
end

t.case("east is lost: the shop lives at west, in order, and nothing asks east", function(sim)
  lost(sim)
  local run = sim:run("disaster.lua", { evidence = "no power" })
  t.outcome(run, "succeeded")
  t.active(sim, "ledger", "west")
  t.active(sim, "storefront", "west")
  t.before(run, "start ledger", "start storefront")
  t.untouched(run, "east")
  t.rpo(run, "ledger", "<=", "15m")
end)

t.case("what was written after the last copy is lost, and no more", function(sim)
  sim:load "fixtures/shop.yaml"
  local last = sim:write("ledger", "east")
  sim:down "east"
  t.outcome(sim:run("disaster.lua", { evidence = "no power" }), "succeeded")
  local data = sim:read("ledger", "west")
  t.ok(data:find("write 0", 1, true))
  t.ok(not data:find("write " .. last, 1, true))
end)

t.case("data older than the target goes live only when somebody accepts it", function(sim)
  sim:load "fixtures/shop.yaml"
  sim:advance "2h"
  sim:down "east"
  local run = sim:run("disaster.lua", { evidence = "no power" })
  t.error(run, "data-loss")
  run = sim:run("disaster.lua", { evidence = "no power", accept_data_loss = "3h" })
  t.outcome(run, "target-missed")
  t.active(sim, "ledger", "west")
end)

t.case("the newest copy is damaged: nothing goes live from it", function(sim)
  lost(sim)
  sim:corrupt { application = "ledger", cluster = "west", points = "all" }
  local run = sim:run("disaster.lua", { evidence = "no power" })
  t.error(run, "damaged")
  t.ok(run.outcome ~= "succeeded")
end)

for _, place in ipairs { "failover/checks", "failover/ledger/start", "failover/storefront/start" } do
  for _, when in ipairs { "before", "after" } do
    t.case("killed " .. when .. " " .. place .. " and carried on", function(sim)
      lost(sim)
      sim:fault { at = place, kind = "crash", when = when }
      local run = sim:run("disaster.lua", { evidence = "no power" })
      t.outcome(run, "interrupted")
      run = sim:resume(run)
      t.outcome(run, "succeeded")
      t.active(sim, "ledger", "west")
      t.active(sim, "storefront", "west")
      t.untouched(run, "east")
    end)
  end
end
