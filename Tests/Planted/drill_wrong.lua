-- expected: drill
-- The clone is removed only when its check succeeds.
return dr.runbook {
  name = "a drill that is removed on the good path",
  run = function()
    local drill = dr.drill { pair = "east-west", applications = "all", ttl = "2h" }
    dr.http { url = "https://lb.example.com/health" }
    dr.cleanup { drill = drill }
  end,
}
