"""The trial with moto: environments live and fail against ELBv2, ECS and API Gateway that this project has not written.

    infra/ministack/ministack up --resources moto
    target/ministack/venv/bin/python infra/ministack/moto_trial.py [CASE …]

Each case is one environment of a separate team; they run side by side. A case ends with its environment deleted, and the
trial ends with an account that is empty. Every wait has a bound, and says what was waited for. The faults are played by
moto_faults.py; CHANGING is compared with the calls that a plain life makes, so that no new call is left out.
"""

import collections
import concurrent.futures
import functools
import json
import os
import pathlib
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")) / "ministack-moto"
RUNNING = json.loads((WORK / "running.json").read_text())
os.environ.update(BERTH_URL=RUNNING["url"], BERTH_PATIENCE="300", BERTH_LONGEST_POLL="6")
sys.path.insert(0, str(HERE.parent.parent / "tests" / "deployed"))

from client import call, request, settled  # noqa: E402

from moto_account import Account  # noqa: E402

ACCOUNT = Account(RUNNING["account"])
PATIENCE_SECONDS = 180
CHANGING = [
    "CreateLoadBalancer", "SetSecurityGroups", "CreateTargetGroup", "ModifyTargetGroupAttributes", "CreateListener",
    "CreateService", "CreateVpcLink", "CreateRestApi", "CreateResource", "PutMethod", "PutIntegration", "CreateDeployment",
    "CreateStage", "UpdateStage",
]
# A delete arrives while one of these is under way.
DELETED_AT = ["CreateLoadBalancer", "CreateService", "CreateVpcLink", "CreateRestApi", "CreateStage"]
# Without a name or token that is taken once: a second one is made unless Berth waits for the first to show.
LATE = ["CreateVpcLink", "CreateRestApi"]
# Those that create again after a consistency window, or late; and the time between two cases' beginnings.
LONGEST = {"retried", *(f"{fault}-{operation}".lower() for operation in LATE for fault in ("late", "unavailable"))}
STAGGER_SECONDS = 0.5
KINDS = ["REST API", "VPC link", "listener", "load balancer", "service", "stage", "target group"]
SEEN_BY_CALLER = {"open": 200, "iam": 403, "cidrs": 403}


def door(method, path, value=None):
    body = None if value is None else json.dumps(value).encode()
    asked = urllib.request.Request(f"{RUNNING['door']}/_trial/{path}", body, method=method)
    with urllib.request.urlopen(asked, timeout=10) as reply:
        return json.load(reply)


def calls(team):
    return [one for one in door("GET", "calls")["calls"] if one["team"] == team]


class Case:
    """A team with one environment."""

    def __init__(self, team):
        self.team = team
        with urllib.request.urlopen(f"{RUNNING['issuer']}/_berth/token?team={team}&role=member", timeout=10) as reply:
            self.token = json.load(reply)["access_token"]
        self.id = None

    def call(self, method, path="", body=None):
        return call(method, f"/environments{path}", body, token=self.token)

    def create(self, family="hello", access=None):
        body = {"name": "trial", "task_definition": family, "ttl": "1h", "access": access or {"kind": "open"}}
        self.id = self.call("POST", "", body).expect(202)["id"]

    def ends(self, status):
        environment = settled(self.id, self.token)
        if environment["status"] != status:
            raise AssertionError(f"{environment['status']} and not {status}: {json.dumps(environment)[:3000]}")
        return environment

    def nothing_left(self, environment):
        left = [one for one in environment["resources"] if one["absent_at"] is None]
        if left:
            raise AssertionError(f"{environment['status']} with {left}")

    def has_one_of_each(self):
        name = f"berth-{self.id.removeprefix('env_')}"
        found = collections.Counter(kind for kind, _ in ACCOUNT.inventory(name))
        if found != dict.fromkeys(KINDS, 1):
            raise AssertionError(f"ready with {dict(found)}")

    def delete(self):
        reply = self.call("DELETE", f"/{self.id}")
        if reply.status not in (200, 202):
            raise AssertionError(f"delete: {reply}")
        self.nothing_left(self.ends("deleted"))

    def live(self, access=None):
        """From the request to a service that answers, or refuses strangers, and to its end."""
        self.create(access=access)
        url = self.ends("ready")["url"]
        self.has_one_of_each()
        request("GET", url).expect(SEEN_BY_CALLER[(access or {"kind": "open"})["kind"]])
        self.delete()
        request("GET", url).expect(403)


def plain(case):
    case.live()
    made = {one["operation"] for one in calls(case.team) if not one["operation"].startswith("Delete")}
    if made != set(CHANGING):
        raise AssertionError(f"CHANGING and the calls of a provisioning differ: {made ^ set(CHANGING)}")


def signed(case):
    case.live({"kind": "iam"})


def behind_ranges(case):
    case.live({"kind": "cidrs", "cidrs": ["203.0.113.0/24"]})
    if "TestInvokeMethod" not in {one["operation"] for one in calls(case.team)}:
        raise AssertionError("proven without TestInvokeMethod")


def fails(case):
    case.create("crash")
    failed = case.ends("failed")
    if failed["failure"]["code"] != "service_failed":
        raise AssertionError(failed["failure"])
    case.nothing_left(failed)
    case.delete()


def retried(case):
    case.create("crash-once")
    case.nothing_left(case.ends("failed"))
    case.call("POST", f"/{case.id}/retry").expect(202)
    request("GET", case.ends("ready")["url"]).expect(200)
    case.delete()


def faulty(case, operation, fault):
    case.live()
    met = [one for one in calls(case.team) if one["fault"] == fault and one["operation"] == operation]
    if len(met) != 1:
        raise AssertionError(f"{operation} was {fault} {len(met)} times")


def deleted_at(case, operation):
    case.create()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while case.team not in door("GET", "calls")["held"]:
        if time.monotonic() > deadline:
            raise AssertionError(f"no {operation} within {PATIENCE_SECONDS} s: {calls(case.team)}")
        time.sleep(0.2)
    case.call("DELETE", f"/{case.id}").expect(202)
    door("POST", f"release/{case.team}", {})
    case.nothing_left(case.ends("deleted"))
    late = [call for call in calls(case.team) if str(call).find("not released") >= 0]
    assert not late, f"the delete came after the call had been answered: {late}"


def cases():
    """Each case's story by its team, and the faults to be ordered for it."""
    stories = {"plain": plain, "signed": signed, "behind-ranges": behind_ranges, "fails": fails, "retried": retried}
    faults = {}
    for operation in CHANGING:
        for fault in ("lost", "unavailable"):
            team = f"{fault}-{operation}".lower()
            stories[team] = functools.partial(faulty, operation=operation, fault=fault)
            faults[team] = [operation, fault]
    for operation in LATE:
        team = f"late-{operation}".lower()
        stories[team] = functools.partial(faulty, operation=operation, fault="late")
        faults[team] = [operation, "late"]
    for operation in DELETED_AT:
        team = f"deleted-at-{operation}".lower()
        stories[team] = functools.partial(deleted_at, operation=operation)
        faults[team] = [operation, "held"]
    return stories, faults


def play(team, story):
    """None, or what went wrong."""
    began, case, wrong = time.monotonic(), None, None
    try:
        case = Case(team)
        story(case)
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
        if case:
            wrong += f"\n   {case.id}, whose calls were {json.dumps(calls(team))}"
    took = f"{time.monotonic() - began:5.1f} s"
    print(f"FAILED {took}  {team}: {wrong}" if wrong else f"ok     {took}  {team}", flush=True)
    return wrong


def main():
    stories, faults = cases()
    wanted = sys.argv[1:] or list(stories)
    # They go first, so that the crowd is not in their way.
    wanted.sort(key=lambda team: team not in LONGEST)
    began = time.monotonic()
    door("PUT", "faults", {team: faults[team] for team in wanted if team in faults})
    with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
        played = []
        for team in wanted:
            played.append(pool.submit(play, team, stories[team]))
            time.sleep(STAGGER_SECONDS)
        wrong = [one for one in (each.result() for each in played) if one]
    left = ACCOUNT.inventory()
    took = time.monotonic() - began
    print(f"{len(wanted)} environments in {took:.0f} s, {len(wrong)} wrong; left in moto: {left or 'nothing'}", flush=True)
    return 1 if wrong or left else 0


if __name__ == "__main__":
    sys.exit(main())
