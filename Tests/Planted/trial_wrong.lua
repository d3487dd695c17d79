-- expected: gate
-- The no brings half of the shop home.
return dr.runbook {
  name = "a trial that a no takes back in part",
  run = function()
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
    local ok, e = pcall(dr.approve, { name = "look", message = "The shop runs at west. May it stay?" })
    if ok then return end
    dr.failback { pair = "east-west", applications = { "storefront" } }
    error(e, 0)
  end,
}
