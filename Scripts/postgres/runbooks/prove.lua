return dr.runbook {
  name = "prove", summary = "Starts a clone of every recovery point at west and looks at its database.",
  run = function()
    for index, point in ipairs(dr.recovery_points { pair = "east-west", applications = { "bank" } }) do
      dr.step("point " .. index, function()
        local suffix = "proof" .. index
        local drill = dr.drill { pair = "east-west", applications = { "bank" }, recovery_point = point.id, suffix = suffix }
        dr.finally(function() dr.cleanup { drill = drill } end)
        dr.exec { argv = { "bank", "check", "west", "bank-" .. suffix }, timeout = "120s", idempotent = true, in_plan = { code = 0 } }
      end)
    end
  end,
}
