local function banner(mode)
  dr.patch { cluster = "east", application = "storefront", kind = "ConfigMap", namespace = "shop-web", name = "storefront", patch = { data = { mode = mode } } }
end

return dr.runbook {
  name = "a clean-up on every path",
  run = function()
    dr.finally(function() banner("on") end)
    banner("read-only")
    dr.migrate { pair = "east-west", applications = "all" }
  end,
}
