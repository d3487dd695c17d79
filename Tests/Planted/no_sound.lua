return dr.runbook {
  name = "a no that is logged and counts",
  run = function()
    local ok, e = pcall(dr.approve, { name = "cutover", message = "Move the shop?" })
    if not ok then
      dr.log("nobody said yes")
      error(e, 0)
    end
    dr.failover { pair = "east-west", applications = "all", mode = "planned" }
  end,
}
