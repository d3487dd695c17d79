-- expected: undo
-- The banner comes down only when all goes well.
local function banner(mode)
  dr.patch { cluster = "east", application = "storefront", kind = "ConfigMap", namespace = "shop-web", name = "storefront", patch = { data = { mode = mode } } }
end

return dr.runbook {
  name = "a clean-up on the good path",
  run = function()
    banner("read-only")
    dr.migrate { pair = "east-west", applications = "all" }
    banner("on")
  end,
}
