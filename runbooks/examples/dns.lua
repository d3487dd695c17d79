-- Moves the bank and then its name. Between the two a person looks at west: rejected, the name never moves; failed afterwards, it goes back.
local say = require "lib.say"

local function point(site)
  dr.exec { argv = { "dns-switch", "bank.example.com", site }, idempotent = true, in_plan = { code = 0 } }
end

return dr.runbook {
  name = "bank and its name",
  summary = "Moves the bank to west, and bank.example.com after somebody looked.",
  run = function()
    say.moved(dr.failover { pair = "east-west", applications = "all", mode = "planned" })
    dr.approve { name = "look", message = "The bank runs at west. Send people there?", groups = { "duty" }, timeout = "1h" }
    dr.step("switch", function()
      dr.undo(function() point("east") end)
      point("west")
      local answer = dr.http { url = "https://west.example.com/health", in_plan = { status = 200 } }
      dr.log("west answers %d", answer.status)
    end)
  end,
}
