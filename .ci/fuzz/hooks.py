"""Berth's own checks beside those of schemathesis."""

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
