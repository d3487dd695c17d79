-- expected: one-writer
-- A planned move that fails becomes a disaster, though east only did not answer for a while and goes on serving.
return dr.runbook {
  name = "planned, and if not, disaster",
  run = function()
    local ok = pcall(dr.failover, { pair = "east-west", applications = "all", mode = "planned" })
    if not ok then
      dr.failover {
        pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "it did not answer", fenced = "power" },
      }
    end
  end,
}
