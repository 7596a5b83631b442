"""Who gets in. Tokens that only the issuer's private key could make (expired, another audience …) are in
tests/it/authorizer; here are those that every client can make."""

import json
import os
import unittest

from client import Deployed, call, decode, encode, public_key_as_pem, request, signed_by_secret


class ACaller(Deployed):
    def setUp(self):
        self.token = os.environ["BERTH_TOKEN"]
        header, claims, self.signature = self.token.split(".")
        self.header, self.claims = decode(header), decode(claims)

    def refused(self, token):
        reply = call("GET", "/environments", token=token)
        self.assert_problem(reply, 401, "unauthenticated")

    def test_without_a_token_is_refused(self):
        self.refused(None)

    def test_with_something_that_is_no_token_is_refused(self):
        for token in ("", "x", "a.b.c", self.token[: len(self.token) // 2], self.token[:-4]):
            self.refused(token)

    def test_with_a_changed_token_is_refused(self):
        claims = encode({**self.claims, "team": "foreign"})
        self.refused(f"{encode(self.header)}.{claims}.{self.signature}")

    def test_with_an_unsigned_token_is_refused(self):
        for algorithm in ("none", "None", "NONE"):
            self.refused(f"{encode({**self.header, 'alg': algorithm})}.{encode(self.claims)}.")

    def test_with_a_key_id_that_does_not_exist_is_refused(self):
        header = encode({**self.header, "kid": "there-is-no-such-key"})
        self.refused(f"{header}.{encode(self.claims)}.{self.signature}")

    @unittest.skipUnless(os.environ.get("BERTH_JWKS"), "BERTH_JWKS is the URL of the issuer's keys")
    def test_with_the_public_key_as_a_secret_is_refused(self):
        keys = json.loads(request("GET", os.environ["BERTH_JWKS"]).expect(200).content)["keys"]
        key = next(key for key in keys if key.get("crv") == "P-256")
        header = {**self.header, "alg": "HS256"}
        for secret in (public_key_as_pem(key), json.dumps(key).encode(), b""):
            self.refused(signed_by_secret(header, self.claims, secret))

    def test_with_a_token_of_100_kb_is_refused(self):
        reply = call("GET", "/environments", token="a" * 100_000)
        # API Gateway refuses headers above 10,240 bytes before the authorizer is called.
        self.assertIn(reply.status, (400, 401, 413, 431, 494), reply)

    def test_without_a_token_sees_whether_berth_is_up_and_how_to_speak_to_it(self):
        call("GET", "/healthz", token=None).expect(200)
        self.assertIn("/environments", call("GET", "/openapi.json", token=None).expect(200)["paths"])
