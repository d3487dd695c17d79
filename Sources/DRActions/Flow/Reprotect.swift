internal import DRModel

struct Reprotect: DRFlow {
    static let spec = ActionSpec(
        "reprotect",
        summary: "Protects applications from where they are live: one copy the other way now, and a schedule for those to come.",
        effect: .changes, example: #"dr.reprotect { pair = "east-west", applications = "all", interval = "15m" }"#,
        estimates: ["bytes_read", "bytes_sent", "consistency", "instant"])

    @Parameter("The pair, by name or handle; it must be both_ways for applications that live at its destination.") var pair: PairReference
    @Parameter("The applications.") var applications: ApplicationSet
    @Parameter("How often they are copied.") var interval: Duration
    @Parameter("How many recovery points are kept: last, hourly, daily, weekly, monthly.") var retain: RetainedPoints?

    static let body = #"""
        local dr, host, lib = ...
        return function(call, arguments)
          local place = host.perform("locate", { pair = call.pair, applications = call.applications, reversed = false })
          local here, there, copies = {}, {}, {}
          for name, at in pairs(place.applications) do
            local list = at.active_at == place.destination and there or here
            list[#list + 1] = name
          end
          for _, side in ipairs({ { names = here, reversed = false }, { names = there, reversed = true } }) do
            if #side.names > 0 then
              local m = host.perform("migrate", { pair = call.pair, applications = side.names, reversed = side.reversed })
              for name, copy in pairs(m.applications) do
                copies[name] = copy
                lib.exposed[name] = nil
              end
            end
          end
          local covered = true
          for _, name in ipairs(call.applications) do
            covered = covered and host.perform("status", { application = name }).protected
          end
          local schedule
          if not covered then
            schedule = host.perform("schedule", { name = "reprotect-" .. call.pair, pair = call.pair, applications = call.applications,
              interval = call.interval, retain = call.retain })
          end
          return { applications = copies, schedule = schedule }
        end
        """#
}
