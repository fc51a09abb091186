#!/usr/bin/env python3
"""What an app declares: mistakes name the author's line, and the answers that no route gives."""

import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, run  # noqa: E402

HEAD = 'local perilune = require "perilune"\nlocal app = perilune.app()\n'


def run_app(command, text):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "app.lua"), "w", encoding="utf-8") as file:
            file.write(text)
        return run(command, "app.lua", cwd=folder)


class Mistakes(unittest.TestCase):
    """Each is on line 3."""

    def refused(self, line, message):
        done = run_app("check", HEAD + line + "\nreturn app\n")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("app.lua:3: " + message, done.stderr)

    def test_unknown_option_names_the_nearest(self):
        self.refused('app:get("/a", {timout = 3}, print)',
                     "GET \"/a\": unknown option 'timout', did you mean 'timeout'?")
        self.refused("perilune.app{tiemout = 3}",
                     "perilune.app: unknown option 'tiemout', did you mean 'timeout'?")
        self.refused('app:group("/a", {bodi = 1}, print)',
                     "app:group: unknown option 'bodi', did you mean 'body'?")

    def test_option_of_another_kind(self):
        self.refused('app:get("/a", {timeout = "soon"}, print)',
                     'GET "/a": timeout = soon: a time is expected')

    def test_what_is_no_handler(self):
        self.refused('app:get("/a", print, 3)', 'GET "/a": handler 2 is a number')
        self.refused('app:any("/a")', 'GET|HEAD|')
        self.refused('app:route("PUT", "/a", {})', 'PUT "/a": a handler is missing')
        self.refused("app:use(3)", "app:use: a function is expected, got a number")

    def test_unknown_method_and_event_name_the_nearest(self):
        self.refused('app:route({"GTE"}, "/a", print)',
                     "app:route: the method 'GTE' cannot be routed, did you mean 'GET'?")
        self.refused('app:on("strat", print)',
                     "app:on: there is no event 'strat', did you mean 'start'?")

    def test_url_of_an_unknown_route_or_without_its_params(self):
        self.refused('print(app:url("nope"))', "app:url: no route is named 'nope'")
        self.refused('app:get("/:x", {name = "n"}, print) print(app:url("n"))',
                     "app:url: 'n' needs params.x")

    def test_routes_with_the_same_pattern_name_both_places(self):
        done = run_app("check", HEAD + 'app:get("/a/:x", print)\n\napp:get("/a/:y", print)\n'
                       "return app\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("app.lua:5: GET /a/:y is the same pattern as GET /a/:x of app.lua:3",
                      done.stderr)

    def test_routes_shows_where_the_handlers_are(self):
        done = run_app("routes", HEAD + 'app:get("/a", function() end)\n'
                       'app:any("/b", function() end)\n'
                       'app:route({"PUT"}, "/c", function() end)\nreturn app\n')
        places = re.findall(r"app\.lua:\d+", done.stdout)
        self.assertEqual(places, ["app.lua:3", "app.lua:4", "app.lua:5"], done.stdout)


class Fallbacks(unittest.TestCase):
    APP = HEAD + r"""
app:use(function(_, proceed) proceed().headers.x_seen = "yes" end)
app:get("/a", function() return "a" end)
app:on("not_found", function(req) return {missing = req.path} end)
app:group("/own", function(own)
  own:on("not_found", function() return "moved on", 410 end)
end)
return app
"""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.APP).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.kill()

    def test_not_found_answers_404_unless_it_says_otherwise(self):
        answer = request(self.server, "GET", "/b")
        self.assertEqual((answer.status, answer.json()), (404, {"missing": "/b"}))
        self.assertEqual(request(self.server, "GET", "/own/b").status, 410)

    def test_options_inside_middleware_has_allow_and_no_type(self):
        answer = request(self.server, "OPTIONS", "/a")
        self.assertEqual((answer.status, answer.get("allow")), (204, "GET, HEAD, OPTIONS"))
        self.assertIsNone(answer.get("content-type"))
        self.assertEqual(answer.get("x_seen"), "yes")

    def test_another_method_is_405_with_allow(self):
        answer = request(self.server, "PUT", "/a")
        self.assertEqual((answer.status, answer.get("allow")), (405, "GET, HEAD, OPTIONS"))
        self.assertEqual(answer.json()["status"], 405)


if __name__ == "__main__":
    unittest.main()
