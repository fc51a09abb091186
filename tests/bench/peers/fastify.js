// P1, P2 and P3 for Fastify 4, with response schemas, which is how it is fastest.
// usage: NODE_PATH=.../node_modules node fastify.js PORT
"use strict";
const app = require("fastify")({ logger: false, keepAliveTimeout: 300000 });

const string = { type: "string" };
const order = {
  type: "object",
  properties: { id: { type: "integer" }, total: { type: "number" }, state: string },
};
const orders = {
  type: "object",
  properties: {
    user: string,
    page: string,
    language: string,
    client: string,
    orders: { type: "array", items: order },
  },
};

app.get("/", (request, reply) => {
  reply.type("text/plain; charset=utf-8").send("Hello, World!");
});

app.get("/users/:id/orders", { schema: { response: { 200: orders } } }, (request, reply) => {
  reply.send({
    user: request.params.id,
    page: request.query.page,
    language: request.headers["accept-language"],
    client: request.headers["x-client-version"],
    orders: [
      { id: 1001, total: 25.5, state: "sent" },
      { id: 1002, total: 13.75, state: "paid" },
      { id: 1003, total: 99.25, state: "open" },
    ],
  });
});

app.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
