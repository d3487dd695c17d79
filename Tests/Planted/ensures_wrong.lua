-- expected: fault-free
-- It says that it moves the ledger to west, and copies it.
return dr.runbook {
  name = "it does not do what it ensures",
  ensures = { active = { ledger = "west" } },
  run = function() dr.migrate { pair = "east-west", applications = "all" } end,
}
