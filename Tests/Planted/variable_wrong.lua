-- expected: schedules
-- The undo believes a variable. When the answer of the suspension is lost, the schedule is suspended and the variable does not know.
return dr.runbook {
  name = "an undo by a variable",
  run = function()
    local suspended = false
    dr.undo(function() if suspended then dr.resume_schedule { name = "shop" } end end, { name = "the schedule" })
    dr.suspend_schedule { name = "shop" }
    suspended = true
    dr.migrate { pair = "east-west", applications = "all" }
    dr.resume_schedule { name = "shop" }
  end,
}
