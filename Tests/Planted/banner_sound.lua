-- The banner is registered to come down before it goes up; once the shop lives at west, nobody reads it.
local function banner(mode)
  dr.patch { cluster = "east", application = "storefront", kind = "ConfigMap", namespace = "shop-web", name = "storefront", patch = { data = { mode = mode } } }
end

return dr.runbook {
  name = "a banner for the move",
  run = function()
    dr.undo(function() banner("on") end, { name = "the banner", application = "storefront" })
    banner("read-only")
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
