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


@schemathesis.hook
def map_body(ctx, body):
    """No pattern states the bounds of a lifetime, `1m` to `365d`: one of the right form becomes one within them."""
    ttl = body.get("ttl") if isinstance(body, dict) else None
    if not isinstance(ttl, str) or not re.fullmatch("[1-9][0-9]*[smhd]", ttl):
        return body
    unit = ttl[-1]
    least = {"s": 60}.get(unit, 1)
    most = {"s": 31_536_000, "m": 525_600, "h": 8_760, "d": 365}[unit]
    return {**body, "ttl": f"{min(max(int(ttl[:9].rstrip(unit)), least), most)}{unit}"}
