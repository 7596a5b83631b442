"""The door by which functions reach ECS, ELBv2 and API Gateway in the trial with moto: it passes each call on to MiniStack
(whose IAM decides about it), and plays the faults that the trial orders.

A case of the trial is a separate team, so a fault is ordered for a team and an operation before its environment exists. It
comes once, at the team's first such call:

    unavailable   503, and the call goes no further
    lost          the call takes effect; the connection ends without an answer
    late          the call takes effect after 30 s; the worker gave up after 20 s (functions/aws/src/clients.rs) and has looked since
    held          the call takes effect; its answer comes when the trial releases it

The trial asks here: `PUT /_trial/faults` {team: [operation, fault]}, `GET /_trial/calls` (every call that changes something),
`POST /_trial/release/TEAM`.
"""

import json
import re
import threading
import time
import urllib.parse

from relay import Reply, forward

LATE_SECONDS, HELD_SECONDS = 30, 15
# The tag with the team, and the names of everything that belongs to one environment (functions/domain/src/names.rs).
TEAM_TAG, NAME = "berth:team", re.compile(r"berth-[0-9a-z]{26}")
# API Gateway's calls that Berth makes to change something, by method and path.
API_GATEWAY = [
    (method, re.compile(path), operation)
    for method, path, operation in [
        ("POST", r"/vpclinks$", "CreateVpcLink"),
        ("POST", r"/restapis$", "CreateRestApi"),
        ("POST", r"/restapis/[^/]+/resources/[^/]+$", "CreateResource"),
        ("PUT", r"/restapis/[^/]+/resources/[^/]+/methods/[^/]+$", "PutMethod"),
        ("PUT", r"/restapis/[^/]+/resources/[^/]+/methods/[^/]+/integration$", "PutIntegration"),
        ("POST", r"/restapis/[^/]+/resources/[^/]+/methods/[^/]+$", "TestInvokeMethod"),
        ("POST", r"/restapis/[^/]+/deployments$", "CreateDeployment"),
        ("POST", r"/restapis/[^/]+/stages$", "CreateStage"),
        ("PATCH", r"/restapis/[^/]+/stages/[^/]+$", "UpdateStage"),
        ("DELETE", r"/restapis/[^/]+$", "DeleteRestApi"),
        ("DELETE", r"/vpclinks/[^/]+$", "DeleteVpcLink"),
    ]
]
READS = ("Describe", "List", "Get")


def form(request):
    """The parameters of a call in the query protocol."""
    return dict(urllib.parse.parse_qsl(request.body.decode(errors="replace")))


def fields(body):
    """A JSON body's fields; none, when it is no JSON object."""
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def operation(request):
    """The operation that the request calls, "" for one of API Gateway that only reads."""
    if target := request.header("x-amz-target"):
        return target.rsplit(".", 1)[-1]
    path = request.target.split("?")[0].rstrip("/")
    if path == "":
        return form(request).get("Action", "")
    found = (name for method, pattern, name in API_GATEWAY if method == request.method and pattern.match(path))
    return next(found, "" if request.method == "GET" else f"{request.method} {path}")


def tags(request):
    """The tags that the call gives, in any of the three services' forms."""
    given = fields(request.body).get("tags")
    if isinstance(given, dict):
        return given
    if isinstance(given, list):
        return {tag["key"]: tag["value"] for tag in given}
    sent = form(request)
    return {value: sent.get(key[:-3] + "Value", "") for key, value in sent.items() if re.match(r"Tags\.member\.\d+\.Key$", key)}


class Door:
    """What the trial has ordered, and what has been called."""

    def __init__(self, gateway):
        self.gateway, self.lock = gateway, threading.Lock()
        self.faults, self.calls, self.teams, self.held = {}, [], {}, {}

    def answer(self, request):
        if request.target.startswith("/_trial/"):
            return self.trial(request)
        name = operation(request)
        if not name or name.startswith(READS):
            return forward(self.gateway, request)
        team = self.team_of(request)
        with self.lock:
            ordered = self.faults.get(team)
            fault = self.faults.pop(team)[1] if ordered and ordered[0] == name else None
        if fault == "unavailable":
            self.note(team, name, fault, 503)
            return unavailable(request)
        if fault == "late":
            time.sleep(LATE_SECONDS)
        reply = forward(self.gateway, request)
        self.learn(team, name, reply)
        self.note(team, name, fault, reply.status)
        if fault == "lost":
            return None
        if fault == "held":
            released = threading.Event()
            with self.lock:
                self.held[team] = released
            if not released.wait(HELD_SECONDS):
                self.note(team, name, f"not released within {HELD_SECONDS} s", reply.status)
        return reply

    def trial(self, request):
        path = request.target.removeprefix("/_trial/")
        with self.lock:
            if path == "faults":
                self.faults.update(fields(request.body))
                return said({})
            if path == "calls":
                return said({"calls": self.calls, "held": [team for team, event in self.held.items() if not event.is_set()]})
            self.held[path.removeprefix("release/")].set()
            return said({})

    def note(self, team, name, fault, status):
        with self.lock:
            self.calls.append({"team": team, "operation": name, "fault": fault, "status": status})

    def team_of(self, request):
        """The team whose environment the call is about: by its tags, by a name of the environment, by its REST API."""
        given = tags(request).get(TEAM_TAG)
        text = urllib.parse.unquote(request.target + request.body.decode(errors="replace"))
        known = NAME.findall(text) + re.findall(r"^/(?:restapis|vpclinks)/([^/?]+)", request.target)
        with self.lock:
            if given:
                self.teams.update(dict.fromkeys(known, given))
            return given or next((self.teams[name] for name in known if name in self.teams), None)

    def learn(self, team, name, reply):
        """Later calls name a REST API or link by the id that its creation has answered."""
        if name in ("CreateRestApi", "CreateVpcLink") and (made := fields(reply.body).get("id")):
            with self.lock:
                self.teams[made] = team


def said(value):
    return Reply(200, {"content-type": "application/json"}, json.dumps(value).encode())


def unavailable(request):
    """A passing failure of the service ("ServiceUnavailable", 503: Common Errors in each service's API reference), in the form
    that its errors have: XML from ELBv2, JSON and a header from API Gateway and ECS."""
    message = "The request has failed due to a temporary failure of the server."
    if request.header("content-type").startswith("application/x-www-form-urlencoded"):
        error = f"<Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>{message}</Message>"
        return Reply(503, {"content-type": "text/xml"}, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())
    code = "ServiceUnavailableException"
    body = json.dumps({"__type": code, "message": message})
    return Reply(503, {"content-type": "application/json", "x-amzn-errortype": code}, body.encode())
