return dr.runbook {
  name = "a drill that is removed on every path",
  run = function()
    local drill
    dr.finally(function() if drill then dr.cleanup { drill = drill } end end)
    drill = dr.drill { pair = "east-west", applications = "all", ttl = "2h" }
    dr.http { url = "https://lb.example.com/health" }
  end,
}
