extension StarterTexts {
    static let fixture = """
        # The shop as tests see it: the applications of dr.yaml at east, with made-up contents, copied five minutes ago.
        # `clusters: { east: { resources: ..., volumes: ... } }` says what lies there instead. See docs/formats.md.
        config: ../../dr.yaml
        copied: 5m

        """

    static let failoverTest = """
        -- Tests of failover.lua, in a simulated world and in virtual time: `drrunbook test`.
        local t = require "dr.test"

        t.case("planned, the shop moves to west in order and loses nothing", function(sim)
          sim:load "fixtures/shop.yaml"
          local last = sim:write("ledger", "east")
          local run = sim:run("failover.lua", { reason = "test" })
          t.outcome(run, "succeeded")
          t.before(run, "stop storefront", "stop ledger")
          t.before(run, "start ledger", "start storefront")
          t.active(sim, "ledger", "west")
          t.active(sim, "storefront", "west")
          t.rpo(run, "ledger", "==", "0s")
          t.ok(sim:read("ledger", "west"):find("write " .. last, 1, true), "the last write did not arrive")
        end)

        t.case("the source does not answer in the last sync: the shop stays at east", function(sim)
          sim:load "fixtures/shop.yaml"
          sim:fault { at = "failover/last-sync", kind = "source-unreachable" }
          local run = sim:run("failover.lua", { reason = "test" })
          t.outcome(run, "failed")
          t.active(sim, "ledger", "east")
          t.active(sim, "storefront", "east")
        end)

        t.case("east is lost: the newest recovery point goes live, and nothing of east is asked", function(sim)
          sim:load "fixtures/shop.yaml"
          sim:down "east"
          local run = sim:run("failover.lua", { planned = false, reason = "no power" })
          t.outcome(run, "succeeded")
          t.active(sim, "ledger", "west")
          t.untouched(run, "east")
          t.rpo(run, "ledger", "<=", "15m")
        end)

        for _, place in ipairs { "failover/stop", "failover/last-sync", "failover/start" } do
          t.case("killed after " .. place .. " and carried on, it ends as if nothing had happened", function(sim)
            sim:load "fixtures/shop.yaml"
            sim:fault { at = place, kind = "crash", when = "after" }
            local run = sim:run("failover.lua", { reason = "test" })
            t.outcome(run, "interrupted")
            run = sim:resume(run)
            t.outcome(run, "succeeded")
            t.active(sim, "storefront", "west")
          end)
        end

        """

    static let drillTest = """
        local t = require "dr.test"

        t.case("a drill leaves nothing behind and touches nothing of east", function(sim)
          sim:load "fixtures/shop.yaml"
          local run = sim:run("drill.lua")
          t.outcome(run, "succeeded")
          t.untouched(run, "east")
          t.nothing_left(sim)
          t.active(sim, "ledger", "east")
        end)

        t.case("a clone that does not start takes the whole drill with it", function(sim)
          sim:load "fixtures/shop.yaml"
          sim:fault { at = "drill/start_clone", application = "storefront", kind = "error", code = "workload-failed" }
          local run = sim:run("drill.lua")
          t.outcome(run, "failed")
          t.nothing_left(sim)
          t.active(sim, "ledger", "east")
        end)

        """

    static let failbackTest = """
        local t = require "dr.test"

        t.case("the shop goes home and loses nothing", function(sim)
          sim:load "fixtures/shop.yaml"
          t.outcome(sim:run("failover.lua"), "succeeded")
          local last = sim:write("ledger", "west")
          local run = sim:run("failback.lua")
          t.outcome(run, "succeeded")
          t.active(sim, "ledger", "east")
          t.active(sim, "storefront", "east")
          t.ok(sim:read("ledger", "east"):find("write " .. last, 1, true), "the last write did not arrive")
        end)

        t.case("east does not answer: the shop stays at west", function(sim)
          sim:load "fixtures/shop.yaml"
          t.outcome(sim:run("failover.lua"), "succeeded")
          sim:partition "east"
          t.ok(sim:run("failback.lua").outcome ~= "succeeded")
          t.active(sim, "ledger", "west")
        end)

        """

    static let protectTest = """
        local t = require "dr.test"

        t.case("a shop that was never copied is protected afterwards", function(sim)
          sim:world { config = "../dr.yaml", applied = false }
          local run = sim:run("protect.lua")
          t.outcome(run, "succeeded")
          t.before(run, "create ClusterPair east-west", "publish RecoveryPoint ledger rp#1")
          t.active(sim, "ledger", "east")
        end)

        t.case("a store that does not answer fails the copy, and nothing else", function(sim)
          sim:load "fixtures/shop.yaml"
          sim:fault { at = "migrate", kind = "store-unreachable" }
          local run = sim:run("protect.lua")
          t.error(run, "store-unreachable")
          t.active(sim, "ledger", "east")
        end)

        """
}
