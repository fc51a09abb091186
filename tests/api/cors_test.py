#!/usr/bin/env python3
"""perilune.cors: preflights, the headers of every other answer, and options checked at load."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, run  # noqa: E402

APP = r"""
local perilune = require "perilune"
local app = perilune.app()

app:group("/open", function(open)
  open:use(perilune.cors())
  open:put("/x", function() return "put" end)
  open:get("/x", function() return "got" end)
end)

app:group("/known", function(known)
  known:use(perilune.cors{
    origins = {"https://app.example", "http://localhost:3000"}, methods = {"get", "PUT"},
    headers = {"X-Token"}, expose = {"X-Total"}, credentials = true, max_age = "10m",
  })
  known:get("/x", function() return "got", 200, {vary = "accept"} end)
  known:get("/error", function() error "broken" end)
end)

return app
"""

ALLOW = "access-control-allow-"
ORIGIN = {"Origin": "https://app.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "PUT",
             "Access-Control-Request-Headers": "x-token, x-other"}


class Cors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(APP).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.kill()

    def ask(self, method, path, headers=None):
        return request(self.server, method, path, headers)

    def test_open_preflight_allows_what_it_asks_for(self):
        answer = self.ask("OPTIONS", "/open/x", PREFLIGHT)
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.get(ALLOW + "origin"), "*")
        self.assertIn("PUT", answer.get(ALLOW + "methods"))
        self.assertEqual(answer.get(ALLOW + "headers"), "x-token, x-other")
        self.assertIsNone(answer.get(ALLOW + "credentials"))

    def test_open_answer_is_for_everybody(self):
        answer = self.ask("GET", "/open/x", ORIGIN)
        self.assertEqual((answer.status, answer.body), (200, b"got"))
        self.assertEqual(answer.get(ALLOW + "origin"), "*")
        self.assertIsNone(answer.get("vary"))

    def test_preflight_of_a_known_origin_says_what_was_configured(self):
        answer = self.ask("OPTIONS", "/known/x", PREFLIGHT)
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.get(ALLOW + "origin"), "https://app.example")
        self.assertEqual(answer.get(ALLOW + "methods"), "GET, PUT")
        self.assertEqual(answer.get(ALLOW + "headers"), "X-Token")
        self.assertEqual(answer.get(ALLOW + "credentials"), "true")
        self.assertEqual(answer.get("access-control-max-age"), "600")
        self.assertEqual(answer.get("vary"), "Origin")

    def test_preflight_of_a_stranger_allows_nothing(self):
        answer = self.ask("OPTIONS", "/known/x", {**PREFLIGHT, "Origin": "https://evil.example"})
        self.assertEqual(answer.status, 204)
        self.assertEqual([name for name, _ in answer.headers if name.lower().startswith(ALLOW)], [])
        self.assertEqual(answer.get("vary"), "Origin")

    def test_answer_to_a_known_origin_can_be_read(self):
        answer = self.ask("GET", "/known/x", ORIGIN)
        self.assertEqual(answer.get(ALLOW + "origin"), "https://app.example")
        self.assertEqual(answer.get("access-control-expose-headers"), "X-Total")
        self.assertEqual(answer.get("vary"), "accept, Origin")

    def test_errors_and_misses_carry_the_headers_too(self):
        for path, status in (("/known/error", 500), ("/known/missing", 404)):
            answer = self.ask("GET", path, ORIGIN)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.get(ALLOW + "origin"), "https://app.example")

    def test_requests_without_origin_are_told_apart_for_caches_only(self):
        answer = self.ask("GET", "/known/x")
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.get(ALLOW + "origin"))
        self.assertEqual(answer.get("vary"), "accept, Origin")

    def test_options_that_is_no_preflight_goes_on(self):
        answer = self.ask("OPTIONS", "/known/x", ORIGIN)
        self.assertEqual(answer.status, 204)
        self.assertIn("GET", answer.get("allow"))


class Options(unittest.TestCase):
    def refused(self, options, message):
        code = f"local mw = require('perilune').cors{options} return mw"
        done = run("-e", code)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(message, done.stderr)

    def test_a_wildcard_with_credentials_is_refused(self):
        self.refused("{credentials = true}", "credentials = true needs a list of origins")
        self.refused("{origins = '*', credentials = true}", "needs a list of origins")
        self.refused("{origins = 'https://a.example', headers = '*', credentials = true}",
                     'headers = "*" stands for nothing')

    def test_unknown_options_name_the_nearest(self):
        self.refused("{origin = '*'}", "unknown option 'origin', did you mean 'origins'?")

    def test_what_is_no_origin_is_refused(self):
        self.refused("{origins = {'https://a.example/'}}", "without a path or a slash at its end")
        self.refused("{origins = {'*'}}", 'stands alone')

    def test_names_and_times_are_checked(self):
        self.refused("{methods = {'G ET'}}", "methods[1] = G ET")
        self.refused("{methods = {GET = true}}", "got the key GET")
        self.refused("{max_age = 'long'}", "max_age = long")


if __name__ == "__main__":
    unittest.main()
