return dr.runbook {
  name = "a call that may be made twice",
  run = function()
    dr.retry({ times = 3, every = "5s" }, function()
      dr.http { method = "PUT", url = "https://lb.example.com/pool", idempotent = true }
    end)
  end,
}
