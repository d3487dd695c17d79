-- What people read when something has moved.
local say = {}

function say.moved(result)
  for name, a in pairs(result.applications) do
    dr.log("%s lives at %s, rpo %s, rto %s", name, a.active_at, a.rpo, a.rto)
  end
end

return say
