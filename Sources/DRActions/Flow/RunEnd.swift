/// What a runbook registers for its end: the undo ledger and `finally`.
///
/// `lib.close` runs in a branch of its own after the runbook has ended or was left, so that whatever ended it is neither caught nor hidden.
enum RunEnd {
    static let name = "=dr.end"

    static let text = #"""
        local dr, host, lib = ...
        local ledger, finals, tries = {}, {}, 3
        -- What no second try mends.
        local hopeless = { ["invalid-input"] = true, ["fenced"] = true, ["not-allowed"] = true, ["unknown-name"] = true, ["runbook"] = true, ["script"] = true }

        -- How many entries of the ledger start an application again: of many thousand nobody goes through it for one.
        local restarting, starters = {}, 0
        local function count(entry, change)
          if not entry.restarts then return end
          starters = starters + change
          local left = (restarting[entry.application] or 0) + change
          restarting[entry.application] = left > 0 and left or nil
        end

        -- Puts an entry on the ledger. `where`: the cluster at which its application must be live for it. `restarts`: it starts what was stopped.
        function lib.owe(name, application, where, fn, restarts)
          local entry = { name = name, application = application, where = where, fn = fn, restarts = restarts or false, call = host.calling() }
          ledger[#ledger + 1] = entry
          count(entry, 1)
          entry.number = host.owe(name, application, where, entry.restarts)
          return entry
        end

        -- Takes an entry off: it was done, or must not be any more because `live` went live.
        function lib.pay(entry, live)
          for i = #ledger, 1, -1 do
            if ledger[i] == entry then
              for j = i, #ledger do ledger[j] = ledger[j + 1] end
              count(entry, -1)
              host.pay(entry.name, entry.number, live)
              return
            end
          end
        end

        -- An earlier part of the run stopped it, and puts it back at the end, when what it needs is back.
        function lib.owes_restart(application) return restarting[application] ~= nil end

        -- Applications that go live together: once one of them is, the others only go forward.
        local moves = {}
        function lib.moving(names) moves[#moves + 1] = names end

        -- Which one of a move is live already, and where. Asked when the undo comes, for a script that was left in the middle struck nothing.
        local function overtaken(application)
          for _, names in ipairs(moves) do
            local isPart, other, at = false, nil, nil
            for _, name in ipairs(names) do
              isPart = isPart or name == application
              if not at then other, at = name, host.live_at(name) end
            end
            if isPart and at then return other, at end
          end
        end

        -- Part of a move that went on without it: it runs nowhere until that move is brought to its end.
        local function left_behind(application) return overtaken(application) ~= nil and not host.live_at(application) end

        -- The first application that this one needs and that runs nowhere, by dr.yaml. `down`: those that could not be started again.
        local needs
        function lib.missing(name, down)
          if next(down) == nil and #moves == 0 then return nil end
          if needs == nil then needs = select(2, host.waves("all")) end
          for _, other in ipairs(needs[name] or {}) do
            if down[other] or left_behind(other) then return other end
          end
        end

        -- `live` of a move went live elsewhere: what waited for its applications to be where they were is over.
        function lib.settled(names, live)
          if starters == 0 then return end
          local over = {}
          for _, name in ipairs(names) do over[name] = true end
          for i = #ledger, 1, -1 do
            if ledger[i].restarts and over[ledger[i].application] then lib.pay(ledger[i], live) end
          end
        end

        local function options_of(options, names, what)
          if options == nil then return {} end
          lib.expect(options, "table", what .. ": its options")
          lib.known_fields(options, names, what)
          return options
        end

        function dr.undo(fn, options)
          host.expect_run("undo")
          lib.expect(fn, "function", "undo: its function")
          options = options_of(options, { "name", "application", "while_active_at" }, "undo")
          for _, field in ipairs { "name", "application", "while_active_at" } do
            if options[field] ~= nil then lib.expect(options[field], "string", "undo: " .. field) end
          end
          local place = host.check_undo(options.application, options.while_active_at)
          lib.owe(options.name or place, options.application, options.while_active_at, fn)
        end

        function dr.finally(fn)
          host.expect_run("finally")
          lib.expect(fn, "function", "finally: its function")
          finals[#finals + 1] = { name = host.check_undo(), fn = fn, call = host.calling() }
          host.add_final()
        end

        -- In a runbook that another one calls: what that one registered stays on the ledger.
        function dr.settle()
          host.expect_run("settle")
          local kept = {}
          for i = #ledger, 1, -1 do
            local entry = ledger[i]
            if host.belongs(entry.call) then
              count(entry, -1)
              host.forgive(entry.name, entry.number)
            else
              kept[#kept + 1] = entry
            end
          end
          ledger = {}
          for i = #kept, 1, -1 do ledger[#ledger + 1] = kept[i] end
        end

        -- Why an entry must not be done, if it must not: asked now, not when it was registered.
        local function forbidden(entry)
          if not entry.application then return nil end
          if entry.restarts then
            local other, at = overtaken(entry.application)
            if other and other ~= entry.application then
              return other .. " of the same move is live at " .. at .. ", so this one only goes forward", true
            end
          end
          local moved = host.live_at(entry.application)
          if not entry.where and not moved then return nil end
          local at = host.perform("status", { application = entry.application }).active_at
          if moved and not at then
            return entry.application .. " was made live at " .. moved .. ", and no cluster that answers says where it is now"
          end
          if entry.where and at ~= entry.where then
            return entry.application .. " is live at " .. (at or "no cluster that answers") .. ", not at " .. entry.where
          end
          if at == moved and at ~= entry.where then return entry.application .. " is live at " .. at .. ", and stays so" end
        end

        -- What a called runbook registered finds its parameters.
        local function of_call(entry)
          host.again_in(entry.call)
          local ok, e = pcall(entry.fn)
          host.end_call()
          if not ok then error(e, 0) end
        end

        local function body(entry, try)
          local reason, told = forbidden(entry)
          if reason then return reason, told end
          lib.repeating("undo", try, of_call, entry)
        end

        -- What could not be started again: nothing that needs it is.
        local down = {}

        -- Once, and again after a failure; then it is told what became of it.
        local function compensate(entry)
          local missing = entry.restarts and lib.missing(entry.application, down)
          if missing then
            down[entry.application] = true
            host.pay(entry.name, entry.number)
            host.note_undo(entry.name, entry.application, "owed", missing .. ", which it needs, runs nowhere")
            return
          end
          local wait, ok, result, told = 1, nil, nil, nil
          for try = 1, tries do
            ok, result, told = pcall(lib.scoped, "undo " .. entry.name, body, entry, try)
            if ok or try == tries or (type(result) == "table" and hopeless[result.code]) then break end
            dr.sleep(wait .. "s")
            wait = wait * 5
          end
          host.pay(entry.name, entry.number)
          local fenced = not ok and type(result) == "table" and result.code == "fenced"
          if entry.restarts and (fenced or ok and result and not told) then
            -- It lives elsewhere, so there is nothing to start again; the list of applications says where.
            return
          elseif not ok then
            if entry.restarts then down[entry.application] = true end
            host.note_undo(entry.name, entry.application, "failed", lib.text_of(result))
          elseif result then
            if entry.restarts then down[entry.application] = true end
            host.note_undo(entry.name, entry.application, "skipped", result)
          else
            host.note_undo(entry.name, entry.application, "undone")
          end
        end

        -- What must hold at the end of a run that succeeded, and of a runbook that another one called.
        function lib.ensure(ensures)
          for name, cluster in pairs(ensures.active) do
            -- In a drill the clone stands for the application, which has not moved.
            local at = host.cloned_at(name) or host.perform("status", { application = name }).active_at
            if at ~= cluster then host.raise("failed", "ensures: " .. name .. " is live at " .. (at or "no known cluster") .. ", expected " .. cluster) end
          end
          local places = {}
          for i, name in ipairs(host.live_order()) do places[name] = i end
          for _, pair in ipairs(ensures.before) do
            local first, second = places[pair[1]], places[pair[2]]
            if first and second and first > second then
              host.raise("failed", "ensures: " .. pair[2] .. " went live before " .. pair[1])
            end
          end
        end

        function dr.results(values)
          host.expect_run("results")
          host.results(values)
        end

        function dr.previous(options)
          host.expect_run("previous")
          options = options_of(options, { "runbook", "outcome" }, "previous")
          for _, field in ipairs { "runbook", "outcome" } do
            if options[field] ~= nil then lib.expect(options[field], "string", "previous: " .. field) end
          end
          return host.previous(options.runbook, options.outcome)
        end

        local function undo_all()
          host.begin_undo()
          while #ledger > 0 do
            local entry = ledger[#ledger]
            ledger[#ledger] = nil
            count(entry, -1)
            compensate(entry)
          end
          host.end_undo()
        end

        -- The first copy back to where applications were, so that they are protected at once. Not in their way: what failed is said, and the next slot of a
        -- schedule tries again.
        local function protect()
          local groups, order = {}, {}
          for name, way in pairs(lib.exposed) do
            local id = way.pair .. (way.reversed and " back" or "")
            if not groups[id] then
              groups[id] = { pair = way.pair, reversed = way.reversed, applications = {} }
              order[#order + 1] = id
            end
            local names = groups[id].applications
            names[#names + 1] = name
          end
          lib.exposed = {}
          for _, id in ipairs(order) do
            local ok, e = pcall(lib.scoped, "protect", host.order, "migrate", groups[id])
            if not ok then dr.log("not protected yet: %s", lib.text_of(e)) end
          end
        end

        -- The end of a run: the ledger in reverse where it failed, then every `finally`. `late`: a person wanted it undone while this went on, or when it had.
        function lib.close(failed, ensures, late)
          if failed then undo_all() else protect() end
          if late then return end
          local first
          for i = #finals, 1, -1 do
            local ok, e = pcall(lib.scoped, "finally", of_call, finals[i])
            if not ok then
              host.note_undo("finally " .. finals[i].name, nil, "failed", lib.text_of(e))
              first = first or e
            end
          end
          local ok, e = true, nil
          if ensures and not failed and not first and not host.cancelled() then ok, e = pcall(lib.ensure, ensures) end
          if first then error(first, 0) end
          if not ok then error(e, 0) end
        end

        -- Deadlines: whoever reaches one is put down, whatever the script does.
        function lib.within(limit, what, fn, ...)
          host.begin_deadline(limit, what)
          local results = table.pack(pcall(fn, ...))
          host.end_deadline()
          if not results[1] then error(results[2], 0) end
          return table.unpack(results, 2, results.n)
        end
        """#
}
