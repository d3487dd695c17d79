-- Every morning: could we move today? All checks of all applications; people hear of it only when the answer changed.
return dr.runbook {
  name = "readiness",
  summary = "Asks all checks and tells people when something keeps the bank from moving.",
  run = function()
    local failed = {}
    for _, check in ipairs(dr.checks { pair = "east-west", applications = "all", raise = false }) do
      -- An old copy does not keep anybody from moving; it makes a disaster cost more than was agreed.
      if check.state == "failed" or (check.id == "recovery-point-fresh" and check.state == "warning") then
        failed[#failed + 1] = check.id .. ": " .. check.message .. "; next: " .. check.next
      end
    end
    for name, s in pairs(dr.status {}) do
      if not s.protected then failed[#failed + 1] = name .. " is not protected" end
    end
    dr.results { failed = #failed }
    if #failed == 0 then
      dr.notify { to = "oncall", text = "the bank could move today" }
      return
    end
    table.sort(failed)
    dr.notify { to = "oncall", text = "the bank could not move today", details = failed }
    dr.fail(table.concat(failed, "; "))
  end,
}
