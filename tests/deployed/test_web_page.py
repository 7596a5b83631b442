"""A web page that calls the API from its browser, and what needs no token."""

import os
import unittest

from client import Deployed, call

ORIGIN = os.environ.get("BERTH_ALLOWED_ORIGIN")


class AWebPage(Deployed):
    @unittest.skipUnless(ORIGIN, "BERTH_ALLOWED_ORIGIN is the page that may call")
    def test_of_the_allowed_origin_may_ask_before_it_has_a_token_and_reads_every_answer(self):
        asks = {
            "Origin": ORIGIN,
            "Access_Control_Request_Method": "POST",
            "Access_Control_Request_Headers": "authorization,content-type,idempotency-key",
        }
        for path in ("/", "/environments", "/healthz", "/openapi.json", "/nowhere"):
            preflight = call("OPTIONS", path, token=None, **asks).expect(204)
            self.assertEqual(preflight.headers["access-control-allow-origin"], ORIGIN, path)
            self.assertEqual(preflight.headers["access-control-allow-methods"], "GET,POST,DELETE", path)
            allowed = preflight.headers["access-control-allow-headers"].split(",")
            self.assertLessEqual({"authorization", "content-type", "idempotency-key"}, set(allowed), path)
        for path, token, status in [
            ("/healthz", None, 200),
            ("/openapi.json", None, 200),
            ("/environments", os.environ["BERTH_TOKEN"], 200),
            ("/environments", None, 401),
            ("/nowhere", os.environ["BERTH_TOKEN"], 404),
        ]:
            reply = call("GET", path, token=token, Origin=ORIGIN).expect(status)
            self.assertEqual(reply.headers["access-control-allow-origin"], ORIGIN, path)
            exposed = reply.headers["access-control-expose-headers"].lower().split(",")
            self.assertLessEqual({"retry-after", "x-request-id"}, set(exposed), path)


class WithoutAToken(Deployed):
    def test_only_the_get_of_the_open_paths_is_answered(self):
        self.assertEqual(call("GET", "/healthz?deep=1", token=None).expect(200)["status"], "ok")
        for path in ("/healthz", "/openapi.json"):
            for method in ("POST", "PUT", "DELETE"):
                self.assert_problem(call(method, path, {}, token=None), 401, "unauthenticated")
                self.assert_problem(call(method, path, {}), 405, "method_not_allowed")
