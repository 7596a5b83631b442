"""moto as AWS: what goes to moto and comes back, with what moto lacks or has otherwise than AWS. Only what an environment needs
is fixed; docs/testing.md#a-judge-that-is-not-ours has each fix with its source, and in what moto is left stricter or more
lenient than AWS. The answers at stages' URLs are in moto_stage.py.
"""

import itertools
import json
import re
import threading
import urllib.parse

from moto_faults import fields, operation
from relay import Reply, forward

# moto has `app` there and AWS `net`: as long, so lengths stay.
OF_AN_NLB = rb"((?:loadbalancer|listener)(?:/|%2[Ff]))"
# A call that MiniStack's IAM makes has no signature; by its scope moto finds the service.
UNSIGNED = "AWS4-HMAC-SHA256 Credential=unsigned/20261127/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=none"
# The families whose tasks never start, always or for the first service of a name.
CRASHES, CRASHES_ONCE = "crash", "crash-once"
CIRCUIT_BREAKER = "ECS deployment circuit breaker: tasks failed to start."


class Moto:
    """moto, asked as AWS is."""

    def __init__(self, url, account, stage):
        self.url, self.account, self.stage = url, account, stage
        self.services = Services(account.elb)

    def answer(self, request):
        path = urllib.parse.unquote(request.target.split("?")[0])
        if path == "/_berth/access-keys":
            self.stage.keys.update({(key := fields(request.body))["id"]: key})
            return Reply(204, {}, b"")
        if served := re.match(r"/restapis/([^/]+)/([^/]+)/_user_request_(.*)", path):
            return self.stage.answer(request, *served.groups())
        name = operation(request)
        if name == "TestInvokeMethod":  # which moto does not have
            return self.stage.test_invoke(path, fields(request.body))
        # moto: 500.
        if name == "DeleteRestApi" and not self.account.has_api(path.rsplit("/", 1)[-1]):
            return not_found("Invalid API identifier specified")
        reply = self.ask(request)
        # moto forgets it.
        if name == "PutIntegration" and reply.status in (200, 201):
            _, _, api, _, resource, *_ = path.split("/")
            self.stage.connections[api, resource] = fields(request.body).get("connectionId", "")
        return self.services.fix(name, reply)

    def ask(self, request):
        """moto's own answer, but for the ARNs."""
        if not request.header("authorization"):
            ecs = request.header("x-amz-target")
            scope = "ecs" if ecs else "apigateway" if request.method == "GET" else "elasticloadbalancing"
            request.headers["Authorization"] = UNSIGNED.format(scope)
        request.target = re.sub(OF_AN_NLB + b"net", rb"\1app", request.target.encode()).decode()
        request.body = re.sub(OF_AN_NLB + b"net", rb"\1app", request.body)
        reply = forward(self.url, request)
        reply.body = re.sub(OF_AN_NLB + b"app", rb"\1net", reply.body)
        return reply


def not_found(message):
    headers = {"content-type": "application/json", "x-amzn-errortype": "NotFoundException"}
    return Reply(404, headers, json.dumps({"message": message}).encode())


class Services:
    """The tasks of services, which moto does not run, as far as Berth sees them: how many run, the target that each has, and a
    rollout's end (ECS developer guide, `service-load-balancing`, `deployment-circuit-breaker`)."""

    def __init__(self, elb):
        self.elb, self.lock = elb, threading.Lock()
        self.created, self.addresses = {}, itertools.count(256)

    def fix(self, name, reply):
        if reply.status != 200 or name not in ("CreateService", "DescribeServices", "DeleteService"):
            return reply
        answered = fields(reply.body)
        for service in answered.get("services") or [answered.get("service") or {}]:
            if name == "CreateService":
                self.create(service)
            elif name == "DescribeServices" and service.get("status") == "ACTIVE":
                self.run(service)
            elif name == "DeleteService":
                self.stop(service)
        return Reply(reply.status, reply.headers, json.dumps(answered).encode())

    def crashes(self, service):
        family = service["taskDefinition"].rsplit("/", 1)[-1].split(":")[0]
        return family == CRASHES or (family == CRASHES_ONCE and self.created[service["serviceName"]] == 1)

    def create(self, service):
        with self.lock:
            self.created[service["serviceName"]] = self.created.get(service["serviceName"], 0) + 1
        if self.crashes(service):
            return
        for group in service["loadBalancers"]:
            for _ in range(service["desiredCount"]):
                number = next(self.addresses)
                target = {"Id": f"10.1.{number // 256}.{number % 256}", "Port": group["containerPort"]}
                self.elb.register_targets(TargetGroupArn=group["targetGroupArn"], Targets=[target])

    def run(self, service):
        deployment = service["deployments"][0]
        if self.crashes(service):
            deployment.update(rolloutState="FAILED", rolloutStateReason=CIRCUIT_BREAKER, failedTasks=3)
            return
        service.update(runningCount=service["desiredCount"], pendingCount=0)
        deployment.update(rolloutState="COMPLETED", runningCount=service["desiredCount"], pendingCount=0)

    def stop(self, service):
        for group in service.get("loadBalancers") or []:
            arn = group["targetGroupArn"]
            found = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            if found:
                self.elb.deregister_targets(TargetGroupArn=arn, Targets=[one["Target"] for one in found])
