-- Moves the bank and then its name. Between the two a person looks at west: rejected, or when west does not answer through its name, the bank goes home
-- and its name with it.
local say = require "lib.say"

local function point(site)
  dr.exec { argv = { "dns-switch", "bank.example.com", site }, idempotent = true, in_plan = { code = 0 } }
end

return dr.runbook {
  name = "bank and its name",
  summary = "Moves the bank to west, and bank.example.com after somebody looked.",
  run = function()
    say.moved(dr.failover { pair = "east-west", applications = "all", mode = "planned" })
    local ok, problem = dr.attempt("switch", function()
      dr.approve { name = "look", message = "The bank runs at west. Send people there?", groups = { "duty" }, timeout = "1h" }
      -- The name follows the bank, wherever that is when the run fails.
      dr.undo(function() point(dr.status { application = "portal" }.active_at) end)
      point("west")
      local answer = dr.http { url = "https://west.example.com/health", in_plan = { status = 200 } }
      dr.log("west answers %d", answer.status)
    end)
    if ok then return end
    -- A planned move loses nothing in either direction.
    dr.log("the bank goes home: %s", problem.message)
    say.moved(dr.failback { pair = "east-west", applications = "all" })
    error(problem, 0)
  end,
}
