/// The canned answer of both floor servers: as many bytes and headers as Perilune's own hello.
#pragma once

#define ANSWER                                  \
  "HTTP/1.1 200 OK\r\n"                         \
  "Server: floor\r\n"                           \
  "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"     \
  "Content-Type: text/plain; charset=utf-8\r\n" \
  "Content-Length: 13\r\n"                      \
  "\r\n"                                        \
  "Hello, World!"
