-- expected: outside-once
-- A call whose answer was lost is made again.
local switch = { method = "POST", url = "https://lb.example.com/switch" }

return dr.runbook {
  name = "a call that is made twice",
  run = function()
    if not pcall(dr.http, switch) then dr.http(switch) end
  end,
}
