-- The load balancer: a pool an application, one of the two sites takes its traffic. Saying it twice does no harm.
local lb = {}

local function set(pool, body)
  return dr.http {
    method = "PUT", url = "https://lb.example.com/pools/" .. pool, json = body, idempotent = true,
    headers = { Authorization = dr.secret("LB_TOKEN") }, in_plan = { status = 200, json = {} },
  }
end

function lb.drain(pool) set(pool, { drain = true }) end
function lb.open(pool, site) set(pool, { drain = false, active = site }) end

return lb
