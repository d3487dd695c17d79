-- expected: undo
-- Where the move fails, the shop stays at home, and its banner says "read-only" for good.
local function banner(mode)
  dr.patch { cluster = "east", application = "storefront", kind = "ConfigMap", namespace = "shop-web", name = "storefront", patch = { data = { mode = mode } } }
end

return dr.runbook {
  name = "a banner for the move",
  run = function()
    banner("read-only")
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
