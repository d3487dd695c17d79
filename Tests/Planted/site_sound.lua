return dr.runbook {
  name = "a check of the right site",
  run = function()
    local ok, e = pcall(dr.failover, { pair = "east-west", applications = "all", mode = "planned" })
    if not ok then dr.log("the failover said: %s", tostring(e)) end
    for _, name in ipairs { "ledger", "storefront" } do
      local status = dr.status { application = name }
      if status.active_at ~= "west" or not status.running then dr.fail(name .. " does not run at west") end
    end
  end,
}
