/// What failover, failback, quiesce and activate have in common: stopping in reverse order, the last sync, starting in order.
enum Move {
    static let name = "=dr.move"

    static let text = #"""
        local dr, host, lib = ...

        local function hook(call, on, moment, name)
          local fn = on and on[moment]
          if fn then lib.scoped(moment, fn, { name = name, pair = call.pair }) end
        end

        -- A stage within its own deadline, where it has one: reaching it puts the run down and undoes nothing.
        local function stage(call, name, what, fn, ...)
          local limit = call.deadlines and call.deadlines[name]
          if limit == nil then return fn(...) end
          return lib.within(limit, name .. " of " .. what, fn, ...)
        end

        local function each(waves, body)
          for _, wave in ipairs(waves) do
            for _, name in ipairs(wave) do body(name) end
          end
        end

        -- Where the applications are; those that have arrived need nothing.
        function lib.locate(call)
          local place = host.perform("locate", { pair = call.pair, applications = call.applications, reversed = call.reversed,
            without_source = call.mode == "disaster" })
          local moving = {}
          for name, at in pairs(place.applications) do
            if not at.arrived then moving[#moving + 1] = name end
          end
          return place, moving
        end

        -- How many applications of a wave stop at a time.
        local side_by_side = 8

        -- Where all failed for one cause, that is the cause.
        local function stop_failed(call, errors)
          local failure, code = lib.one_error(call.verb, "applications", errors), lib.code_of(errors[1])
          for _, e in ipairs(errors) do
            if code == nil or lib.code_of(e) ~= code then return failure end
          end
          failure.code = code
          return failure
        end

        -- Stops at the source, in reverse order, those of a wave side by side; after the first failure no other begins. `stopped` is filled before each stop:
        -- one that failed half way has to be put back, too. What was stopped before is left to whoever stopped it: started again alone, it would run without
        -- what it needs.
        function lib.stop_all(call, on, waves, stopped)
          local errors = {}
          local function stop(name)
            hook(call, on, "stopping", name)
            local order = { pair = call.pair, application = name, reversed = call.reversed }
            if not lib.owes_restart(name) then
              local entry = lib.owe("stop " .. name, name, host.source(call.pair, call.reversed),
                function() host.order("restart", order) end, true)
              stopped[#stopped + 1] = { name = name, order = order, entry = entry }
            end
            host.order("stop", order)
            hook(call, on, "stopped", name)
          end
          for i = #waves, 1, -1 do
            lib.run_wave(waves[i], side_by_side, function(name)
              if #errors > 0 then return end
              local ok, e = pcall(stage, call, "stop", name, lib.scoped, name, stop, name)
              if not ok then errors[#errors + 1] = e end
            end)
            if #errors > 0 then error(stop_failed(call, errors), 0) end
          end
        end

        -- Starts again what was stopped, last stopped first. What could not be stays on the ledger, with what needs it: it is tried again at the end of the run.
        local function put_back(stopped)
          local down = {}
          for i = #stopped, 1, -1 do
            local name = stopped[i].name
            local missing = lib.missing(name, down)
            if missing then
              dr.log("%s is not started again: %s, which it needs, is not", name, missing)
              down[name] = true
            else
              local ok, e = pcall(lib.scoped, name, host.order, "restart", stopped[i].order)
              if ok then
                lib.pay(stopped[i].entry)
              else
                dr.log("%s could not be started again at the source: %s", name, lib.text_of(e))
                down[name] = true
              end
            end
          end
        end

        -- What would be refused for one application is refused before any of them is stopped or made live.
        local function require_instants(call, names, found, points)
          -- A drill's clones harm nobody.
          if call.accept_fuzzy or call.verb == "drill" then return end
          local fuzzy, sound, oldest = {}, {}, nil
          for _, name in ipairs(names) do
            if found[name].consistency == "fuzzy" then fuzzy[#fuzzy + 1] = found[name].id .. " of " .. name end
            for _, point in ipairs(points) do
              if point.application == name and point.consistency ~= "fuzzy" then
                if found[name].consistency == "fuzzy" then
                  sound[#sound + 1] = string.format("%s of %s, %s old", point.id, name, tostring(point.age))
                end
                if oldest == nil or point.instant < oldest then oldest = point.instant end
                break
              end
            end
          end
          if #fuzzy == 0 then return end
          local message = table.concat(fuzzy, ", ") .. (#fuzzy == 1 and " is" or " are")
            .. " fuzzy: files were written while they were copied, so they may not fit together"
          if #sound < #fuzzy then
            host.raise("data-loss", message .. "; not all of them have a recovery point that is an instant",
              (call.mode == "disaster" and "" or "migrate again, or ") .. "accept_fuzzy = true")
          end
          host.raise("data-loss", message .. "; the newest that are an instant: " .. table.concat(sound, ", "),
            'recovery_point = { at_or_before = "' .. tostring(oldest) .. '" }, or accept_fuzzy = true')
        end

        -- Which point each application gets: its id, or nil for the newest verified one.
        local function choose_points(call, names)
          local wanted, chosen = call.recovery_point, {}
          if wanted == nil or wanted == "latest" then
            -- What has no point at all is found before anything goes live. A planned move has just made one of each.
            if call.synced then return chosen end
            local points = host.perform("recovery_points", { pair = call.pair, applications = names, reversed = call.reversed })
            local found = {}
            for _, point in ipairs(points) do found[point.application] = found[point.application] or point end
            for _, name in ipairs(names) do
              if not found[name] then host.raise("no-recovery-point", name .. " has no verified recovery point at the destination") end
            end
            require_instants(call, names, found, points)
            return chosen
          end
          if type(wanted) == "string" then
            if #names > 1 then
              host.raise("invalid-input", "recovery_point: an id names the point of one application, " .. #names .. " are moved",
                "use { at_or_before = TIME }")
            end
            chosen[names[1]] = wanted
            return chosen
          end
          local points = host.perform("recovery_points", { pair = call.pair, applications = names, reversed = call.reversed,
            at_or_before = wanted.at_or_before })
          local oldest, newest, found = nil, nil, {}
          for _, point in ipairs(points) do
            if chosen[point.application] == nil then
              chosen[point.application] = point.id
              found[point.application] = point
              if oldest == nil or point.instant < oldest then oldest = point.instant end
              if newest == nil or point.instant > newest then newest = point.instant end
            end
          end
          for _, name in ipairs(names) do
            if chosen[name] == nil then
              host.raise("no-recovery-point", name .. " has no verified recovery point at or before " .. tostring(wanted.at_or_before))
            end
          end
          if wanted.max_skew and newest - oldest > host.duration(wanted.max_skew) then
            host.raise("no-recovery-point", "the newest points are " .. tostring(newest - oldest) .. " apart, more than max_skew")
          end
          require_instants(call, names, found, points)
          return chosen
        end

        -- Starts at the destination in order; the first failure starts nothing new. Returns what moved and the failure.
        function lib.start_all(call, on, waves, names, points)
          local moved, failure = {}, nil
          points = points or choose_points(call, names)
          lib.moving(names)
          each(waves, function(name)
            if failure then return end
            local ok, e = pcall(stage, call, "start", name, lib.scoped, name, function()
              hook(call, on, "starting", name)
              moved[name] = host.perform("start", { pair = call.pair, application = name, reversed = call.reversed, mode = call.mode,
                recovery_point = points[name], accept_data_loss = call.accept_data_loss, accept_fuzzy = call.accept_fuzzy,
                source_fenced = call.source_down and call.source_down.fenced ~= "none" or false,
                down_since = call.source_down and call.source_down.since })
              moved[name].moment = lib.moment()
              -- From here on this move only goes forward: nothing of it is started again where it was.
              lib.settled(names, name)
              hook(call, on, "ready", name)
            end)
            if not ok then failure = { name = name, error = e } end
          end)
          return moved, failure
        end

        -- Applications that went live with their former cluster at hand: they are copied back there when the runbook has ended.
        lib.exposed = {}
        local announced = false
        local function expose(call, place, moved)
          if call.mode ~= "planned" or not place.both_ways or next(moved) == nil then return end
          for name in pairs(moved) do
            -- In a drill a clone went live, which is removed with all that was written to it.
            if not host.cloned_at(name) then
              if not announced then host.add_final() end
              announced = true
              lib.exposed[name] = { pair = call.pair, reversed = not call.reversed }
            end
          end
        end

        -- A run measures by its clock; a plan, whose clock stands still, says what past runs took (`=dr.plan`).
        function lib.moment() return nil end
        function lib.took(_, _, measured) return measured end
        function lib.later() return nil end

        local function begin(at, of_run) return { at = at, moment = lib.moment(of_run) } end

        local function report(call, place, moved, began)
          expose(call, place, moved)
          local applications, last, oldest, newest, longest = {}, nil, nil, nil, nil
          for name, at in pairs(place.applications) do
            local m = moved[name]
            if m then
              if last == nil or m.ready_at > last then last = m.ready_at end
              longest = lib.later(longest, m.moment)
              if m.instant then
                if oldest == nil or m.instant < oldest then oldest = m.instant end
                if newest == nil or m.instant > newest then newest = m.instant end
              end
              applications[name] = { active_at = m.active_at, epoch = m.epoch, recovery_point = m.recovery_point, rpo = lib.rpo(m.rpo),
                rto = lib.took(began, m.moment, m.ready_at - began.at), state = "moved", changed = m.changed, split_brain_risk = m.split_brain_risk, warnings = m.warnings }
            else
              applications[name] = { active_at = at.active_at, epoch = at.epoch, state = "already-there", changed = false }
            end
          end
          return { applications = applications, rto = last and lib.took(began, longest, last - began.at) or nil, skew = newest and newest - oldest or nil,
            changed = next(moved) ~= nil }
        end

        local Age = { __name = "dr.rpo", __metatable = false }
        function Age.__tostring(age)
          if age.exact then return tostring(age.exact) end
          if age.at_most then return "at most " .. tostring(age.at_most) end
          return "unknown"
        end
        function lib.rpo(age) return setmetatable({ exact = age.exact, at_most = age.at_most }, Age) end

        local function items_failed(call, failure, moved, names)
          local waiting = {}
          for _, name in ipairs(names) do
            if not moved[name] and name ~= failure.name then waiting[#waiting + 1] = name end
          end
          local message = failure.name .. ": " .. lib.text_of(failure.error)
          if #waiting > 0 then message = message .. "; not started: " .. table.concat(waiting, ", ") end
          return lib.failure { code = "items-failed", verb = call.verb, retryable = false, errors = { failure.error }, message = message,
            hint = "mend the cause and run it again: what is live stays live, the others are moved" }
        end

        -- A disaster needs a person's word that the source is down; a planned move never becomes one by itself.
        function lib.require_word(call)
          if call.mode == "disaster" and not call.source_down then
            host.raise("invalid-input", call.verb .. ': field "source_down" is missing: a disaster needs { evidence = TEXT, fenced = "power"|"storage"|"network"|"none" }')
          end
          if call.source_down and call.source_down.since and call.source_down.since > host.now() then
            host.raise("invalid-input", call.verb .. ': field "source_down": since: expected a time that has been, got ' .. tostring(call.source_down.since))
          end
          if call.mode == "planned" and call.source_down then
            host.raise("invalid-input", call.verb .. ': "source_down" goes with mode = "disaster"; a planned ' .. call.verb .. ' never becomes one by itself')
          end
        end

        -- The whole way: checks, stop, last sync, start. `call.mode` is "planned" or "disaster" and never changes on the way.
        function lib.move(call, on)
          local planned = call.mode == "planned"
          local began = begin(host.now())
          -- What went before the call, a gate above all, is part of the outage.
          if not planned then began = begin(call.source_down.since or host.started(), true) end
          local place, moving = lib.locate(call)
          if #moving == 0 then return report(call, place, {}, began) end
          -- What went past the point of no return and was cut off there is neither stopped nor copied again: it is brought to its end.
          local leaving = {}
          for _, name in ipairs(moving) do
            if place.applications[name].active_at ~= place.destination then leaving[#leaving + 1] = name end
          end
          local waves = host.waves(moving, call.after)
          local softened = { ["recovery-point-fresh"] = "judged again when the point is made live" }
          if #leaving > 0 then
            host.order("checks", { pair = call.pair, applications = leaving, reversed = call.reversed, without_source = not planned,
              warn_only = softened })
          end
          call.synced = planned
          local stopped, points = {}, choose_points(call, moving)
          if planned and #leaving > 0 then
            -- Most of the data goes while the application still serves; the last sync is then short.
            if call.presync then host.order("migrate", { pair = call.pair, applications = leaving, reversed = call.reversed }) end
            began = begin(host.now())
            local ok, e = pcall(function()
              lib.stop_all(call, on, host.waves(leaving, call.after), stopped)
              stage(call, "copy", "the last sync", host.order, "migrate",
                { pair = call.pair, applications = leaving, reversed = call.reversed, final = true })
            end)
            if not ok then
              put_back(stopped)
              error(e, 0)
            end
          end
          local moved, failure = lib.start_all(call, on, waves, moving, points)
          if failure then
            if next(moved) == nil then
              -- Nothing is live over there. The engine refuses a restart where the point of no return was passed.
              put_back(stopped)
              error(failure.error, 0)
            end
            error(items_failed(call, failure, moved, moving), 0)
          end
          return report(call, place, moved, began)
        end

        -- A hook of a drill: what it calls outside is left out, or done, as in a run that is a drill.
        local function drill_hook(...)
          host.begin_drill()
          local ok, e = pcall(hook, ...)
          host.end_drill()
          if not ok then error(e, 0) end
        end

        -- A clone of each application in order, each when the one before is ready. What fails takes the whole clone with it.
        function lib.drill(call, on)
          local began = begin(host.now())
          local names = call.applications
          local points = choose_points(call, names)
          local opened = host.perform("open_drill", { pair = call.pair, applications = names, reversed = call.reversed, points = points,
            ttl = call.ttl, suffix = call.suffix })
          local clones, last, longest = {}, nil, nil
          local ok, e = pcall(each, host.waves(names, call.after), function(name)
            stage(call, "start", name, lib.scoped, name, function()
              drill_hook(call, on, "starting", name)
              local clone = host.perform("start_clone", { drill = opened.id, cluster = opened.cluster, application = name })
              clones[name] = clone
              if last == nil or clone.ready_at > last then last = clone.ready_at end
              longest = lib.later(longest, lib.moment())
              drill_hook(call, on, "ready", name)
            end)
          end)
          if not ok then
            local cleaned, why = pcall(host.order, "cleanup", { drill = opened.id })
            if not cleaned then dr.log("drill %s could not be cleaned up: %s", opened.id, lib.text_of(why)) end
            error(e, 0)
          end
          local function endpoint(name, port)
            local clone = clones[name]
            if clone == nil then host.raise("unknown-name", "endpoint: " .. tostring(name) .. " is no application of drill " .. opened.id) end
            local at = clone.endpoints[tostring(port)]
            if at == nil then host.raise("not-found", "endpoint: no service of " .. name .. " has port " .. tostring(port)) end
            return at
          end
          return { id = opened.id, cluster = opened.cluster, expires = opened.expires, namespaces = opened.namespaces, applications = clones,
            rto = last and lib.took(began, longest, last - began.at) or nil, endpoint = endpoint }
        end

        function lib.activate_only(call, on)
          local began = begin(host.now())
          local place, moving = lib.locate(call)
          if #moving == 0 then return report(call, place, {}, began) end
          local moved, failure = lib.start_all(call, on, host.waves(moving, call.after), moving)
          if failure then
            if next(moved) == nil then error(failure.error, 0) end
            error(items_failed(call, failure, moved, moving), 0)
          end
          return report(call, place, moved, began)
        end
        """#
}
