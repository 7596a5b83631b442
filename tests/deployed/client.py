"""An HTTP client of Berth that shares no code with it, and how to wait with it. Standard library only."""

import base64
import hashlib
import hmac
import json
import os
import time
import unittest
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("BERTH_URL", "").rstrip("/")
# As long as AWS may take at its slowest, in seconds; an environment that is not settled by then is stuck.
PATIENCE = float(os.environ.get("BERTH_PATIENCE", "1800"))
FAMILY = os.environ.get("BERTH_TASK", "hello")
CRASHING_FAMILY = os.environ.get("BERTH_TASK_THAT_CRASHES")
RUN = uuid.uuid4().hex[:6]


class Reply:
    """An HTTP answer."""

    def __init__(self, status, headers, content):
        self.status, self.headers, self.content = status, {k.lower(): v for k, v in headers.items()}, content

    def __getitem__(self, field):
        return self.json()[field]

    def json(self):
        try:
            return json.loads(self.content)
        except ValueError:
            raise AssertionError(f"no JSON: {self}") from None

    def expect(self, status):
        if self.status != status:
            raise AssertionError(f"expected {status}, got {self}")
        return self

    def __str__(self):
        return f"{self.status} {self.headers} {self.content[:2000]!r}"


def request(method, url, body=None, headers=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as reply:
            return Reply(reply.status, dict(reply.getheaders()), reply.read())
    except urllib.error.HTTPError as error:
        return Reply(error.code, dict(error.headers.items()), error.read())


def call(method, path, body=None, token=os.environ.get("BERTH_TOKEN"), **headers):
    """One request to the API; `token=None` sends none. Headers by their names, with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        named["Authorization"] = f"Bearer {token}"
    if body is not None:
        named.setdefault("Content-Type", "application/json")
    return request(method, URL + path, body, named)


def settled(environment_id, token=os.environ.get("BERTH_TOKEN")):
    """The environment once nothing moves any more: it says itself when to ask again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        reply = call("GET", f"/environments/{environment_id}", token=token).expect(200)
        again = reply.json().get("retry_after_seconds")
        if again is None:
            return reply.json()
        if time.monotonic() > deadline:
            raise AssertionError(f"stuck for {PATIENCE} s: {reply}")
        time.sleep(min(float(again), float(os.environ.get("BERTH_LONGEST_POLL", "15"))))


class Deployed(unittest.TestCase):
    """A test against the deployment at `BERTH_URL`; whatever it creates is taken away at its end."""

    foreign = os.environ.get("BERTH_FOREIGN_TOKEN")
    operator = os.environ.get("BERTH_OPERATOR_TOKEN")

    def create(self, name, family=FAMILY, ttl=None, access=None, **headers):
        body = {"name": f"{name}-{RUN}", "task_definition": family}
        body |= {key: value for key, value in (("ttl", ttl), ("access", access)) if value}
        reply = call("POST", "/environments", body, **headers)
        if reply.status == 202:
            self.addCleanup(self.remove, reply["id"])
        return reply

    def remove(self, environment_id):
        status = call("GET", f"/environments/{environment_id}").expect(200)["status"]
        if status != "deleted":
            call("DELETE", f"/environments/{environment_id}")
            self.assertEqual(settled(environment_id)["status"], "deleted")

    def assert_problem(self, reply, status, code):
        reply.expect(status)
        self.assertEqual(reply.headers["content-type"].split(";")[0], "application/problem+json", reply)
        self.assertEqual((reply["status"], reply["code"]), (status, code), reply)
        self.assertTrue(reply["detail"], reply)


def encode(part):
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_by_secret(header, claims, secret):
    """A token signed with HS256."""
    text = f"{encode(header)}.{encode(claims)}"
    return f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def public_key_as_pem(key):
    """A P-256 key of a JWKS, as a tool would print it: HS256 must not be checked with it."""
    def coordinate(name):
        return base64.urlsafe_b64decode(key[name] + "=" * (-len(key[name]) % 4))

    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
    text = base64.b64encode(prefix + coordinate("x") + coordinate("y")).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n".encode()
