/// Of plans alone: what a call answers and only its run can know is handed to the runbook so that each look at it is noted with its place.
///
/// Such a field lies beside its table and is fetched by `__index`, so a number stays a plain number. What a comparison makes of it cannot be seen; that it was looked
/// at can. Fields are named by the verbs' declarations (`ActionSpec.estimates`).
enum Assumptions {
    static let name = "=dr.plan"

    static let text = #"""
        local dr, host, lib = ...
        local getmetatable, math = getmetatable, host.math
        local draw = math.random
        local hidden_key = {}
        -- What says that an answer is a stand-in is no estimate itself.
        local certain = { predicted = true, skipped = true }

        -- Durations on whose way was an action that no past run has shown.
        local partial = {}

        local function text_of(value)
          if type(value) ~= "table" then
            local text = tostring(value)
            if not partial[value] then return text end
            return text == "0s" and "unknown (no past run), taken as 0s" or "at least " .. text .. " (no past run has shown all of it)"
          end
          local ok, text = pcall(host.json_encode, value)
          return ok and text or "a table"
        end

        local function look(what, value)
          if value ~= nil then host.assume(what, text_of(value)) end
          return value
        end

        -- Takes `hidden` out of the table's own fields. `more`: other metamethods.
        local function hide(value, hidden, what, more)
          local meta = more or {}
          meta.__metatable = false
          function meta.__index(_, key)
            if key == hidden_key then return hidden end
            return look(what .. tostring(key), hidden[key])
          end
          function meta.__pairs(t)
            local all, key, item = {}, next(t)
            while key ~= nil do
              all[key] = item
              key, item = next(t, key)
            end
            for name, other in pairs(hidden) do
              if all[name] == nil then all[name] = look(what .. name, other) end
            end
            return pairs(all)
          end
          return setmetatable(value, meta)
        end

        local function mark(names, value, what)
          if getmetatable(value) ~= nil then return end
          local hidden
          for key, item in pairs(value) do
            if type(key) == "string" and (names[key] or names["*"]) and not certain[key] then
              hidden = hidden or {}
              hidden[key] = item
            elseif type(item) == "table" then
              mark(names, item, what .. tostring(key) .. ".")
            end
          end
          if not hidden then return end
          for key in pairs(hidden) do value[key] = nil end
          hide(value, hidden, what)
        end

        -- A value as it was before it was marked, for whoever takes all of it.
        local function plain(value, depth)
          if type(value) ~= "table" or depth > 50 then return value end
          local hidden = getmetatable(value) == false and value[hidden_key] or nil
          local copy, differs = {}, hidden ~= nil
          local function take(key, item)
            copy[key] = plain(item, depth + 1)
            differs = differs or copy[key] ~= item
          end
          if hidden then
            local key, item = next(value)
            while key ~= nil do
              take(key, item)
              key, item = next(value, key)
            end
          else
            for key, item in pairs(value) do take(key, item) end
          end
          for name, other in pairs(hidden or {}) do
            if copy[name] == nil then copy[name] = plain(other, depth + 1) end
          end
          return differs and copy or value
        end

        for name, fields in pairs(host.estimates) do
          local inner = dr[name]
          dr[name] = function(arguments)
            local result = inner(plain(arguments, 0))
            if type(result) == "table" and host.answers_predicted() then mark(fields, result, name .. ".") end
            return result
          end
        end

        -- How long moves take. What no past run has shown counts as nothing, and the look at the sum says so.
        function lib.moment(of_run) return host.moment(of_run or false) end
        function lib.later(a, b) return a and host.later(a, b) or b end
        function lib.took(from, to)
          local time, known = host.took(from.moment, to, from.at)
          if not known then partial[time] = true end
          return time
        end

        -- The age of data made live: that nothing was lost is certain, and so is its text only as text.
        local rpo = lib.rpo
        function lib.rpo(age)
          local shown = rpo(age)
          if age.at_most == nil or not host.answers_predicted() then return shown end
          return hide({}, { at_most = age.at_most }, "rpo.", { __tostring = function() return tostring(shown) end })
        end

        local encode, results = dr.json.encode, dr.results
        function dr.json.encode(value) return encode(plain(value, 0)) end
        function dr.results(values) return results(plain(values, 0)) end

        -- A run draws other numbers.
        math.random = function(...)
          local number = draw(...)
          if not host.replays() then host.assume("math.random", tostring(number)) end
          return number
        end
        """#
}
