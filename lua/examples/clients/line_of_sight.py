#!/usr/bin/env python3
"""A client of ../10_line_of_sight.lua with numpy: a batch of rays out, a hit for each in.

    line_of_sight.py http://127.0.0.1:8080 <rays.bin >hits.bin     the bytes as they are
    line_of_sight.py http://127.0.0.1:8080                         looks around from a roof

Nothing is converted on either side: an array's bytes are sent, and the answer's bytes are an array.
What the structs look like comes from the server, /_schema/NAME.py, as numpy dtypes.
"""

import sys
import urllib.request

import numpy


class Server:
    def __init__(self, address):
        self.address = address.rstrip("/")
        self.types = {}

    def ask(self, path, data=None, headers=None):
        request = urllib.request.Request(self.address + path, data, headers or {})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def type(self, name):
        """The dtype of a struct, and its hash. The server's text is run: ask one that you trust."""
        if name not in self.types:
            scope = {}
            exec(self.ask(f"/_schema/{name}.py"), scope)
            self.types[name] = scope[name], scope[f"{name}_HASH"]
        return self.types[name]

    def convert(self, path, kind, array, result):
        """Sends an array of one struct, returns the answer as an array of another."""
        dtype, digest = self.type(kind)
        body = numpy.ascontiguousarray(array, dtype).tobytes()
        # The header is optional. With it a server whose struct has changed answers 415.
        headers = {"Content-Type": "application/octet-stream",
                   "Perilune-Struct": f'{kind};count={len(array)};hash="{digest}"'}
        return numpy.frombuffer(self.ask(path, body, headers), self.type(result)[0])


def look_around(server, eye, count=360):
    """Rays from one place to all sides, slightly downwards."""
    angles = numpy.linspace(0, 2 * numpy.pi, count, endpoint=False)
    rays = numpy.zeros(count, server.type("ray")[0])
    rays["origin"] = eye
    rays["direction"] = numpy.stack([numpy.sin(angles), numpy.full(count, -0.1), numpy.cos(angles)],
                                    axis=1)
    return rays


def main():
    server = Server(sys.argv[1])
    if sys.stdin.isatty():
        rays = look_around(server, (57, 12, 57))
        hits = server.convert("/hits", "ray", rays, "hit")
        seen = hits[numpy.isfinite(hits["t"])]
        print(f"{len(rays)} rays, {len(seen)} hits; nearest {seen['t'].min():.2f}, "
              f"houses {numpy.unique(seen['prim'][seen['inst'] == 2])}")
    else:
        rays = numpy.frombuffer(sys.stdin.buffer.read(), server.type("ray")[0])
        sys.stdout.buffer.write(server.convert("/hits", "ray", rays, "hit").tobytes())


if __name__ == "__main__":
    main()
