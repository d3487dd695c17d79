return dr.runbook {
  name = "a trial that a no takes back",
  run = function()
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
    local ok, e = pcall(dr.approve, { name = "look", message = "The shop runs at west. May it stay?" })
    if ok then return end
    dr.failback { pair = "east-west", applications = "all" }
    error(e, 0)
  end,
}
