-- A database with replicas, a virtual machine and an operator's custom resource: what a failover must look at beyond "it started".
return dr.runbook {
  name = "ledger with its database",
  summary = "Moves the ledger, waits for its replicas and its operator, and opens it for writing last.",
  params = {
    replicas = { type = "integer", default = 3, summary = "How many replicas must answer before anything is written." },
  },
  run = function(p)
    dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }
    dr.step("replicas", function()
      dr.wait_ready { cluster = "west", kind = "StatefulSet", namespace = "bank-ledger", name = "pg", timeout = "10m" }
      local pg = dr.get { cluster = "west", kind = "StatefulSet", namespace = "bank-ledger", name = "pg" }
      if pg.spec.replicas < p.replicas then
        dr.fail(string.format("pg has %d replicas, expected %d", pg.spec.replicas, p.replicas))
      end
    end)
    dr.step("virtual machine", function()
      local vm = dr.get { cluster = "west", kind = "VirtualMachine", namespace = "bank-ledger", name = "batch" }
      if vm.spec.runStrategy ~= "Always" then dr.fail("the virtual machine does not run: " .. tostring(vm.spec.runStrategy)) end
    end)
    -- Read-only until everything stands; taken back if what follows fails while the ledger is where it was.
    dr.step("open", function()
      local mode = dr.get { cluster = "west", kind = "ConfigMap", namespace = "bank-ledger", name = "mode" }
      if mode.data.writes ~= "on" then
        dr.patch {
          cluster = "west", application = "ledger", kind = "ConfigMap", namespace = "bank-ledger", name = "mode",
          patch = { data = { writes = "on" } },
        }
      end
    end)
    dr.log("the ledger takes writes at west")
  end,
}
