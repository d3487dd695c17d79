/// The part of `dr` that is written in Lua: control flow over host calls.
///
/// It runs in the runbook's own state as a trusted chunk, so a hook or a branch is a plain function call, and replay needs to know nothing of it. What it
/// may use of the host is `host`: `perform` and `fork` (which suspend), `enter`, `leave`, `prepare`, `waves`, `now`, `raise`.
enum Prelude {
    static let name = "=dr"

    /// Stands before every trusted chunk: what it uses of the standard library, taken before a runbook could change a global.
    static let captured = """
        local pcall, error, ipairs, pairs, next, type, tostring, select, setmetatable = \
        pcall, error, ipairs, pairs, next, type, tostring, select, setmetatable; \
        local table = { pack = table.pack, unpack = table.unpack, concat = table.concat }; \
        local string = { format = string.format }; local math = { type = math.type, min = math.min };

        """

    static let text = #"""
        local host = ...
        local dr, lib = {}, {}

        -- Errors -----------------------------------------------------------------------------------------------------------------------

        local Failure = { __name = "dr.error", __metatable = false }
        function Failure.__tostring(e) return e.text or e.message end

        function lib.failure(fields) return setmetatable(fields, Failure) end

        function lib.text_of(e)
          if type(e) == "table" then return e.message or tostring(e) end
          return tostring(e)
        end

        function lib.code_of(e) return type(e) == "table" and e.code or nil end

        local function expect(value, kind, what)
          if type(value) ~= kind then host.raise("invalid-input", what .. ": expected a " .. kind .. ", got " .. type(value)) end
        end

        local function known_fields(options, names, what)
          for key in pairs(options) do
            local found = false
            for _, name in ipairs(names) do found = found or name == key end
            if not found then host.raise_unknown(what, tostring(key), names) end
          end
        end

        -- Options of a flow: checked at the call, before anything is done.
        local function wrong(what, field, expected, value)
          local shown = type(value) == "string" and '"' .. value .. '"' or type(value) == "table" and "a table" or tostring(value)
          host.raise("invalid-input", what .. ": field \"" .. field .. "\": expected " .. expected .. ", got " .. shown)
        end

        local function whole_number(what, options, field, default)
          local value = options[field]
          if value == nil then return default end
          if math.type(value) ~= "integer" or value < 1 then wrong(what, field, "a whole number of at least 1", value) end
          return value
        end

        local function flag(what, options, field, default)
          local value = options[field]
          if value == nil then return default end
          if type(value) ~= "boolean" then wrong(what, field, "true or false", value) end
          return value
        end

        local function duration(what, options, field, default)
          local value = options[field]
          if value == nil then value = default end
          return host.duration(value, what .. ": field \"" .. field .. "\"")
        end

        local function error_codes(what, options, field)
          local codes = options[field]
          if codes == nil then return nil end
          local expected = 'a list of error codes, such as { "timeout" }'
          if type(codes) ~= "table" then wrong(what, field, expected, codes) end
          local count, known = 0, {}
          for _ in pairs(codes) do count = count + 1 end
          if count == 0 or count ~= #codes then wrong(what, field, expected, codes) end
          for _, code in ipairs(codes) do
            if type(code) ~= "string" then wrong(what, field, expected, code) end
            host.choose(what .. ": field \"" .. field .. "\"", code, host.codes)
            known[code] = true
          end
          return known
        end

        -- Scopes: a place in the path, left however the function ends ------------------------------------------------------------------------

        function lib.scoped(name, fn, ...)
          host.enter(name)
          local results = table.pack(pcall(fn, ...))
          host.leave()
          if not results[1] then error(results[2], 0) end
          return table.unpack(results, 2, results.n)
        end

        -- What may call its function several times: a call outside that must not be made twice is refused inside. `try`: how often it was called, this time included.
        function lib.repeating(name, try, fn, ...)
          host.begin_repeat(name, try)
          local results = table.pack(pcall(fn, ...))
          host.end_repeat()
          if not results[1] then error(results[2], 0) end
          return table.unpack(results, 2, results.n)
        end

        lib.expect, lib.known_fields = expect, known_fields

        -- The fields of a call without those that every verb takes, and its deadline.
        local function own_fields(arguments)
          if type(arguments) ~= "table" or arguments.deadline == nil then return arguments, nil end
          local own = {}
          for key, value in pairs(arguments) do if key ~= "deadline" then own[key] = value end end
          return own, arguments.deadline
        end

        function dr.step(name, fn, options)
          expect(name, "string", "step: its name")
          expect(fn, "function", "step: its body")
          if options == nil then return lib.scoped(name, fn) end
          expect(options, "table", "step: its options")
          known_fields(options, { "deadline" }, "step")
          if options.deadline == nil then return lib.scoped(name, fn) end
          return lib.within(options.deadline, name, lib.scoped, name, fn)
        end

        -- Another runbook, in this run: its parameters are checked as the command line's are, and what it ensures holds when it has ended.
        function dr.call(runbook, parameters, options)
          host.expect_run("call")
          if parameters ~= nil then expect(parameters, "table", "call: its parameters") end
          if options ~= nil then
            expect(options, "table", "call: its options")
            known_fields(options, { "deadline" }, "call")
          end
          local called = host.begin_call(runbook, parameters)
          host.begin_flow("call")
          local function body()
            local results = table.pack(called.run(called.parameters))
            if called.ensures then lib.ensure(called.ensures) end
            return table.unpack(results, 1, results.n)
          end
          local deadline, results = options and options.deadline, nil
          if deadline ~= nil then
            results = table.pack(pcall(lib.within, deadline, called.name, lib.scoped, called.name, body))
          else
            results = table.pack(pcall(lib.scoped, called.name, body))
          end
          host.end_flow("call")
          host.end_call()
          if not results[1] then error(results[2], 0) end
          return table.unpack(results, 2, results.n)
        end

        function dr.attempt(name, fn)
          expect(name, "string", "attempt: its name")
          expect(fn, "function", "attempt: its body")
          return pcall(lib.scoped, name, fn)
        end

        -- Branches ---------------------------------------------------------------------------------------------------------------------------

        -- What is raised of several that failed side by side.
        function lib.one_error(verb, what, errors)
          if #errors == 1 then return errors[1] end
          local texts = {}
          for i, e in ipairs(errors) do texts[i] = lib.text_of(e) end
          return lib.failure { code = "items-failed", verb = verb, retryable = false, errors = errors,
            message = #errors .. " " .. what .. " failed: " .. table.concat(texts, "; ") }
        end

        function dr.parallel(branches)
          expect(branches, "table", "parallel")
          for i, branch in ipairs(branches) do expect(branch, "function", "parallel: branch " .. i) end
          if #branches == 0 then host.raise("invalid-input", "parallel: expected a list of functions, got an empty table") end
          local ended, errors, values = host.fork(branches), {}, {}
          for i, branch in ipairs(ended) do
            if branch.ok then values[i] = branch.value else errors[#errors + 1] = branch.error end
          end
          if #errors > 0 then error(lib.one_error("parallel", "branches", errors), 0) end
          return table.unpack(values, 1, #branches)
        end

        -- Runs one wave, each item in its own branch when several may go on at a time: the next begins as soon as one has ended.
        function lib.run_wave(names, limit, body)
          if limit == 1 or #names == 1 then
            for _, name in ipairs(names) do body(name) end
            return
          end
          local branches = {}
          for i, name in ipairs(names) do branches[i] = function() return body(name) end end
          for _, branch in ipairs(host.fork(branches, limit)) do
            if not branch.ok then error(branch.error, 0) end
          end
        end

        function dr.in_order(items, options, fn)
          if fn == nil then options, fn = {}, options end
          expect(options, "table", "in_order: its options")
          expect(fn, "function", "in_order: its body")
          known_fields(options, { "parallel", "reverse", "on_failure", "raise", "after" }, "in_order")
          local on_failure = options.on_failure or "stop"
          host.choose('in_order: field "on_failure"', on_failure, { "stop", "skip_dependents", "continue" })
          local limit = whole_number("in_order", options, "parallel", 1)
          local reverse, raises = flag("in_order", options, "reverse", false), flag("in_order", options, "raise", true)
          local waves, needs = host.waves(items, options.after)
          local order = {}
          for i = 1, #waves do order[i] = waves[reverse and #waves + 1 - i or i] end
          local results, failed, stopped = {}, {}, false

          -- For each item those before it.
          local before = needs
          if reverse and on_failure == "skip_dependents" then
            before = {}
            for item, needed in pairs(needs) do
              for _, other in ipairs(needed) do
                before[other] = before[other] or {}
                before[other][#before[other] + 1] = item
              end
            end
          end

          -- The item that `name` had to wait for and that did not get done, if any.
          local function blocked(name)
            for _, other in ipairs(before[name] or {}) do
              if results[other] and results[other].state ~= "done" then return other end
            end
          end

          for _, wave in ipairs(order) do
            if stopped then
              for _, name in ipairs(wave) do results[name] = { state = "not-started" } end
            else
              lib.run_wave(wave, limit, function(name)
                if stopped then
                  results[name] = { state = "not-started" }
                  return
                end
                local cause = on_failure == "skip_dependents" and blocked(name)
                if cause then
                  results[name] = { state = "skipped", reason = cause .. " failed" }
                  return
                end
                local ok, value = pcall(lib.scoped, name, fn, { name = name })
                if ok then
                  results[name] = { state = "done", value = value }
                else
                  results[name] = { state = "failed", error = value }
                  failed[#failed + 1] = name
                  stopped = on_failure == "stop"
                end
              end)
            end
          end
          if #failed > 0 and raises then
            local texts, errors = {}, {}
            for i, name in ipairs(failed) do
              texts[i] = name .. ": " .. lib.text_of(results[name].error)
              errors[i] = results[name].error
            end
            error(lib.failure { code = "items-failed", verb = "in_order", retryable = false, results = results, errors = errors,
              message = table.concat(texts, "; ") }, 0)
          end
          return results
        end

        -- Time -------------------------------------------------------------------------------------------------------------------------------

        function dr.sleep(duration) host.perform("sleep", { duration = duration }) end

        function dr.retry(options, fn)
          expect(options, "table", "retry: its options")
          expect(fn, "function", "retry: its body")
          known_fields(options, { "times", "every", "backoff", "on" }, "retry")
          local times, wait = whole_number("retry", options, "times", 3), duration("retry", options, "every", "10s")
          local backoff, codes = options.backoff, error_codes("retry", options, "on")
          if backoff ~= nil and (not math.type(backoff) or not (backoff >= 1 and backoff <= 1000)) then
            wrong("retry", "backoff", "a number of at least 1, at most 1000", backoff)
          end
          for attempt = 1, times do
            local results = table.pack(pcall(lib.repeating, "retry", attempt, fn, attempt))
            if results[1] then return table.unpack(results, 2, results.n) end
            local e = results[2]
            local again = codes == nil or (type(e) == "table" and codes[e.code] == true)
            if attempt == times or not again then error(e, 0) end
            dr.sleep(wait)
            if backoff then wait = host.duration(wait:seconds() * backoff .. "s") end
          end
        end

        function dr.wait_until(options, fn)
          expect(options, "table", "wait_until: its options")
          expect(fn, "function", "wait_until: its body")
          known_fields(options, { "timeout", "every" }, "wait_until")
          if options.timeout == nil then host.raise("invalid-input", "wait_until: field \"timeout\" is missing") end
          local limit, every = dr.now() + duration("wait_until", options, "timeout"), duration("wait_until", options, "every", "5s")
          if every:seconds() < 0.01 then host.raise("invalid-input", "wait_until: every: expected at least 10ms, got " .. tostring(every)) end
          while true do
            local value = lib.repeating("wait_until", 1, fn)
            if value then return value end
            if dr.now() >= limit then
              host.raise("timeout", "wait_until: not true within " .. tostring(host.duration(options.timeout)))
            end
            dr.sleep(every)
          end
        end

        -- Facts ------------------------------------------------------------------------------------------------------------------------------

        function dr.now() return host.now() end
        function dr.random() return host.random() end
        function dr.time(text) return host.time(text) end
        function dr.duration(text) return host.duration(text) end
        function dr.secret(name) return host.secret(name) end
        function dr.log(format, ...)
          expect(format, "string", "log: its format")
          host.log(select("#", ...) == 0 and format or string.format(format, ...))
        end
        function dr.fail(message) host.raise("failed", tostring(message)) end
        dr.json = setmetatable({ encode = host.json_encode, decode = host.json_decode, null = host.json_null }, {
          __metatable = false,
          __index = function(_, name) host.choose("dr.json", name, { "encode", "decode", "null" }) end,
        })

        function dr.runbook(declaration) return host.declare(declaration) end

        -- Verbs ------------------------------------------------------------------------------------------------------------------------------

        -- A call whose answer was lost and that brings a `verify`: true or a value = it happened, false = it did not, nil = nobody knows.
        local function verified(name, arguments)
          for _ = 1, 10 do
            local ok, result = pcall(host.perform, name, arguments)
            if ok then return result end
            if type(result) ~= "table" or result.code ~= "unknown-outcome" then error(result, 0) end
            local happened = arguments.verify()
            if happened == nil then error(result, 0) end
            if happened then return { verified = true, value = happened } end
          end
          host.raise("unknown-outcome", name .. ": ten answers in a row were lost")
        end

        for _, name in ipairs(host.actions) do
          dr[name] = function(arguments)
            host.expect_run(name)
            local own, deadline = own_fields(arguments)
            local perform = type(own) == "table" and type(own.verify) == "function" and verified or host.perform
            if deadline ~= nil then return lib.within(deadline, name, perform, name, own) end
            return perform(name, own)
          end
        end

        function lib.flow(name, body)
          dr[name] = function(arguments)
            host.expect_run(name)
            local own, deadline = own_fields(arguments)
            local call = host.prepare(name, own)
            host.begin_flow(name)
            local results
            if deadline ~= nil then
              results = table.pack(pcall(lib.within, deadline, name, lib.scoped, name, body, call, own))
            else
              results = table.pack(pcall(lib.scoped, name, body, call, own or {}))
            end
            host.end_flow(name)
            if not results[1] then error(results[2], 0) end
            return table.unpack(results, 2, results.n)
          end
        end

        setmetatable(dr, {
          __metatable = false,
          __index = function(_, name)
            if name == "params" then return host.params() end
            if name == "running_as" then return host.running_as() end
            host.raise_unknown_verb(tostring(name))
          end,
        })

        return dr, lib
        """#
}
