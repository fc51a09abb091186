-- P3 for OpenResty, with cjson (Debian's lua-cjson) and the cheapest way to each value: ngx.var
-- reads one header or argument without making a table of all of them.
-- luacheck: globals ngx
local cjson = require "cjson"

local orders = {}

function orders.answer()
  local var = ngx.var
  local body = cjson.encode{
    user = var[1],
    page = var.arg_page,
    language = var.http_accept_language,
    client = var.http_x_client_version,
    orders = {
      {id = 1001, total = 25.5, state = "sent"},
      {id = 1002, total = 13.75, state = "paid"},
      {id = 1003, total = 99.25, state = "open"},
    },
  }
  ngx.header.content_type = "application/json"
  ngx.header.content_length = #body
  ngx.print(body)
end

return orders
