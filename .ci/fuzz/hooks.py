"""Berth's own checks beside those of schemathesis."""

import re

import schemathesis

# The paths of the environments whose deletion was accepted.
deleted = set()


@schemathesis.check
def deleted_stays_deleted(ctx, response, case):
    """Once a DELETE is accepted, the environment is going away or gone, whatever else is asked of it."""
    path = case.formatted_path
    if case.method == "DELETE" and response.status_code == 202:
        deleted.add(path)
    if path in deleted and response.status_code in (200, 202):
        status = response.json()["status"]
        assert status in ("deleting", "deleted", "cleanup_failed"), f"{path} was deleted and is {status}"


@schemathesis.check
class EveryOperationSucceeds:
    """An operation of which only errors were seen is not tested."""

    def __init__(self):
        self.seen, self.succeeded = set(), set()

    def after_response(self, ctx, response, case):
        self.seen.add(case.operation.label)
        if response.status_code < 300:
            self.succeeded.add(case.operation.label)

    def after_run(self, ctx):
        assert self.seen, "no operation was tested"
        assert self.seen == self.succeeded, f"only errors from {sorted(self.seen - self.succeeded)}"


# What a well-formed network becomes: the ones that the deployment allows, which no pattern states. Most others are 422.
OWN = {
    "subnets": ("subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})", 16, ["subnet-0be27400000000001", "subnet-0be27400000000002"]),
    "security_groups": ("sg-(?:[0-9a-f]{8}|[0-9a-f]{17})", 5, ["sg-0be27400000000001"]),
}


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Values that are right by their schema, and that the API cannot take, become some that it can. What is wrong stays."""
    if isinstance(case.body, dict):
        case.body = acceptable(case.body)


def acceptable(body):
    body = {**body, **lifetime(body.get("ttl"))}
    for name, known in (("network", network), ("container", container)):
        if isinstance(body.get(name), dict):
            body[name] = {**body[name], **known(body[name])}
    if isinstance(body.get("task_definition"), str) and re.fullmatch("[!-~]{1,512}", body["task_definition"]):
        body["task_definition"] = "hello"
    return body


def container(asked):
    """The only container of `hello`, and its port."""
    changed = {"name": "web"} if isinstance(asked.get("name"), str) and 1 <= len(asked["name"]) <= 255 else {}
    port = asked.get("port")
    if isinstance(port, (int, float)) and not isinstance(port, bool) and 1 <= port <= 65535 and port == int(port):
        changed["port"] = 8000
    return changed


def lifetime(ttl):
    """No pattern states the bounds of a lifetime, `1m` to `365d`."""
    if not isinstance(ttl, str) or not re.fullmatch("[1-9][0-9]*[smhd]", ttl):
        return {}
    unit = ttl[-1]
    least = {"s": 60}.get(unit, 1)
    most = {"s": 31_536_000, "m": 525_600, "h": 8_760, "d": 365}[unit]
    return {"ttl": f"{min(max(int(ttl[:9].rstrip(unit)), least), most)}{unit}"}


def network(asked):
    changed = {"assign_public_ip": False} if asked.get("assign_public_ip") is True else {}
    for name, (form, most, own) in OWN.items():
        ids = asked.get(name)
        right = isinstance(ids, list) and all(isinstance(one, str) and re.fullmatch(form, one) for one in ids)
        if right and 1 <= len(ids) <= most and len(set(ids)) == len(ids):
            changed[name] = own[: len(ids)]
    return changed
