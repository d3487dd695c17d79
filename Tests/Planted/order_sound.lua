return dr.runbook {
  name = "stop in the order that dr.yaml declares",
  run = function()
    dr.quiesce { pair = "east-west", applications = "all" }
    dr.migrate { pair = "east-west", applications = "all", final = true }
    dr.activate { pair = "east-west", applications = "all", recovery_point = "latest", mode = "planned" }
  end,
}
