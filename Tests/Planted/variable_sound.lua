-- Resuming what is not suspended changes nothing, so the undo asks nobody.
return dr.runbook {
  name = "an undo that says what is to hold",
  run = function()
    dr.undo(function() dr.resume_schedule { name = "shop" } end, { name = "the schedule" })
    dr.suspend_schedule { name = "shop" }
    dr.migrate { pair = "east-west", applications = "all" }
    dr.resume_schedule { name = "shop" }
  end,
}
