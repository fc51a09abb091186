-- P3: a parameter, a query, two headers in; a table out as JSON.
local perilune = require "perilune"

local app = perilune.app()

app:get("/users/:id/orders", function(req)
  local headers = req.headers
  return {
    user = req.params.id,
    page = req.query.page,
    language = headers["accept-language"],
    client = headers["x-client-version"],
    orders = {
      {id = 1001, total = 25.5, state = "sent"},
      {id = 1002, total = 13.75, state = "paid"},
      {id = 1003, total = 99.25, state = "open"},
    },
  }
end)

return app
