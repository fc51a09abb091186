// P1 to P4 and P11 for Node: its own http module, no framework. usage: node node_http.js PORT
"use strict";
const http = require("node:http");

const ORDERS = /^\/users\/([^/]+)\/orders$/;

function answerOrders(request, response, user, query) {
  const body = JSON.stringify({
    user,
    page: new URLSearchParams(query).get("page"),
    language: request.headers["accept-language"],
    client: request.headers["x-client-version"],
    orders: [
      { id: 1001, total: 25.5, state: "sent" },
      { id: 1002, total: 13.75, state: "paid" },
      { id: 1003, total: 99.25, state: "open" },
    ],
  });
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

function answerDone(response) {
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": 4 });
  response.end("done");
}

const server = http.createServer((request, response) => {
  if (request.url === "/") {
    response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": 13 });
    response.end("Hello, World!");
    return;
  }
  if (request.url === "/wait") {
    setTimeout(answerDone, 1000, response);
    return;
  }
  if (request.url === "/hog") for (;;);
  const [path, query] = request.url.split("?", 2);
  const match = ORDERS.exec(path);
  if (match) {
    answerOrders(request, response, decodeURIComponent(match[1]), query);
    return;
  }
  response.writeHead(404, { "Content-Length": 0 });
  response.end();
});

server.keepAliveTimeout = 300000;
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
