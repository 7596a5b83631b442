"""MiniStack with Berth's stand-in in place of its ELBv2, ECS, VPC links and the REST APIs of environments.

MiniStack does not play those four (docs/testing.md#what-ministack-lacks), so their requests go on to `berth-local account`
(`BERTH_ACCOUNT_URL`) once MiniStack has authorized them: with `AUTH=true` its IAM evaluator decides about every one by the
function's own role. What it cannot know about resources that are not its own is told it here, as AWS documents it
(Service Authorization Reference): which resource an ECS action is about, and the tags of what stands in the account.

With `ministack … --resources moto` the account is moto's (moto_resources.py). It is started by `ministack`; nothing of this is
shipped.
"""

import json
import os
import socketserver
import urllib.parse
import xml.etree.ElementTree as ElementTree

# Otherwise every reply of the Runtime API waits 40 ms for the acknowledgement of its first half.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack import app  # noqa: E402
from ministack.core import iam_actions  # noqa: E402
from ministack.services import sts, tagging  # noqa: E402

import implied  # noqa: E402
from account import ask_account, fields, pass_on  # noqa: E402


def to_account(service):
    """A service handler as MiniStack has them, that lets the stand-in answer what is allowed."""

    async def handler(method, path, headers, body, query_params):
        denied = implied.denied(service, method, path, headers, body, query_params)
        return denied or await pass_on(method, path, headers, body, query_params)

    return handler


def logs(own):
    """What tasks have written is in the stand-in; what functions have written is in MiniStack."""

    async def handler(method, path, headers, body, query_params):
        target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
        of_a_task = target.endswith(".GetLogEvents") and not fields(body).get("logGroupName", "").startswith("/aws/")
        return await (pass_on if of_a_task else own)(method, path, headers, body, query_params)

    return handler


def slots_at_once(own):
    """Berth's slots for AWS's rates follow each other at once: moto has no rates, and forty deletions of REST APIs would take
    twenty minutes. The order of the two conditional updates stays (functions/aws/src/store/rate_limit.rs)."""

    async def handler(method, path, headers, body, query_params):
        request = fields(body)
        if (request.get("Key") or {}).get("pk") == {"S": "RATE"} and "UpdateExpression" in request:
            values = request["ExpressionAttributeValues"]
            if ":interval" in values:
                values[":interval"] = {"N": "1"}
            if ":tat" in values:
                values[":tat"] = values[":until"]
            body = json.dumps(request).encode()
        return await own(method, path, headers, body, query_params)

    return handler


def cluster_of(request):
    return (request.get("cluster") or "default").rsplit("/", 1)[-1]


def ecs_resource(action, request, region, account):
    """The resource of an ECS action, by the Service Authorization Reference."""
    prefix = f"arn:aws:ecs:{region}:{account}"
    service = request.get("serviceName") or request.get("service") or next(iter(request.get("services") or []), None)
    if action in ("CreateService", "UpdateService", "DeleteService", "DescribeServices") and service:
        return service if service.startswith("arn:") else f"{prefix}:service/{cluster_of(request)}/{service}"
    if action == "DescribeTasks":
        task = next(iter(request.get("tasks") or []), "")
        return task if task.startswith("arn:") else f"{prefix}:task/{cluster_of(request)}/{task}"
    if action == "ListTasks":
        return f"{prefix}:container-instance/{cluster_of(request)}/*"
    if action in ("TagResource", "UntagResource", "ListTagsForResource"):
        return request.get("resourceArn", "*")
    # ListServices, DescribeTaskDefinition and the like know no resource.
    return "*"


# What a creation makes has no id yet; its name is in the ARN.
MADE = {"CreateLoadBalancer": "loadbalancer/net", "CreateTargetGroup": "targetgroup"}


def parameter(query_params, name):
    value = (query_params or {}).get(name, "")
    return value[0] if isinstance(value, list) else value


def action_of(headers):
    target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
    return target.rsplit(".", 1)[-1]


def resource_arns(own):
    def extract(service, method, path, headers, body, query_params, region, account_id):
        if service == "ecs":
            return ecs_resource(action_of(headers), fields(body), region, account_id)
        if service == "logs" and action_of(headers) == "GetLogEvents":
            stream = fields(body)
            group = f"arn:aws:logs:{region}:{account_id}:log-group:{stream.get('logGroupName')}"
            return f"{group}:log-stream:{stream.get('logStreamName')}"
        if service == "elasticloadbalancing" and (kind := MADE.get(parameter(query_params, "Action"))):
            name = parameter(query_params, "Name")
            return f"arn:aws:elasticloadbalancing:{region}:{account_id}:{kind}/{name}/made"
        return own(service, method, path, headers, body, query_params, region, account_id)

    return extract


def members(query_params, name):
    """The entries of a list as the query protocol sends it."""
    return [entry for key in sorted(query_params or {}) if key.startswith(f"{name}.member.")
            for entry in [parameter(query_params, key)]]


def service_keys(request):
    """The condition keys of CreateService; ECS's guide, "Policy condition keys for Amazon ECS", has their forms."""
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    found = {"ecs:auto-assign-public-ip": str(network.get("assignPublicIp") == "ENABLED").lower()}
    if network.get("subnets"):
        found["ecs:subnet"] = network["subnets"]
    if request.get("taskDefinition"):
        given = request["taskDefinition"]
        region = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
        found["ecs:task-definition"] = (
            given if given.startswith("arn:") else f"arn:aws:ecs:{region}:000000000000:task-definition/{given}"
        )
    return found


def request_context(own):
    """The condition keys of a request: its tags; for ECS the cluster and what a service is; for a load balancer its scheme,
    subnets and security groups."""

    def context(service, iam_action, body, params):
        found = dict(own(service, iam_action, body, params))
        if iam_action in ("apigateway:POST", "apigateway:PUT"):
            # MiniStack finds tags by the operation's name, which an HTTP method is not.
            tags = fields(body).get("tags") or {}
            found.update({f"aws:requesttag/{name}".lower(): value for name, value in tags.items()})
            found["aws:TagKeys"] = list(tags)
        if service == "ecs":
            request = fields(body)
            region = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
            found["ecs:cluster"] = f"arn:aws:ecs:{region}:000000000000:cluster/{cluster_of(request)}"
            if iam_action == "ecs:CreateService":
                found.update(service_keys(request))
        if iam_action == "elasticloadbalancing:CreateLoadBalancer":
            found["elasticloadbalancing:Scheme"] = parameter(params, "Scheme") or "internet-facing"
        if iam_action in ("elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSecurityGroups"):
            lists = {"Subnet": members(params, "Subnets"), "SecurityGroup": members(params, "SecurityGroups")}
            found.update({f"elasticloadbalancing:{key}": entries for key, entries in lists.items() if entries})
        return found

    return context


def tags_of(own):
    """The tags that the stand-in has on a resource, for `aws:ResourceTag`."""

    def tags(arn):
        service = (arn.split(":") + [""] * 6)[2]
        if service == "apigateway":
            return api_gateway_tags(arn.split(":", 5)[5])
        if service == "ecs" and ":service/" in arn:
            return ecs_tags(arn)
        if service == "elasticloadbalancing" and ":" in arn:
            return elb_tags(arn)
        return own(arn)

    return tags


def api_gateway_tags(path):
    """What belongs to an API goes by the API's tags."""
    parts = path.strip("/").split("/")
    if len(parts) < 2 or parts[0] not in ("restapis", "vpclinks"):
        return {}
    status, _, body = ask_account("GET", f"/{parts[0]}/{parts[1]}", {}, b"")
    return (fields(body).get("tags") or {}) if status == 200 else {}


def ecs_tags(arn):
    cluster = arn.split("/")[1]
    body = json.dumps({"cluster": cluster, "services": [arn], "include": ["TAGS"]}).encode()
    headers = {
        "x-amz-target": "AmazonEC2ContainerServiceV20141113.DescribeServices",
        "content-type": "application/x-amz-json-1.1",
    }
    _, _, reply = ask_account("POST", "/", headers, body)
    services = fields(reply).get("services") or [{}]
    return {tag["key"]: tag["value"] for tag in services[0].get("tags") or []}


def elb_tags(arn):
    body = urllib.parse.urlencode(
        {"Action": "DescribeTags", "Version": "2015-12-01", "ResourceArns.member.1": arn}
    ).encode()
    status, _, reply = ask_account("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, body)
    if status != 200:
        return {}
    root = ElementTree.fromstring(reply)
    space = root.tag.partition("}")[0] + "}"
    members = root.iterfind(f".//{space}Tags/{space}member")
    return {member.findtext(f"{space}Key"): member.findtext(f"{space}Value") or "" for member in members}


def known_to_account(own):
    """A session of a role, whose key the stand-in learns: it checks the signatures of requests to environments."""
    known = set()

    def register(access_key, session):
        own(access_key, session)
        parts = session["Arn"].split(":")
        if access_key not in known and parts[5].startswith("assumed-role/"):
            known.add(access_key)
            role = parts[5].split("/")[1]
            key = {"id": access_key, "secret": session["SecretAccessKey"], "may_invoke": False}
            key["principal"] = f"arn:aws:iam::{parts[4]}:role/{role}"
            headers = {"content-type": "application/json"}
            ask_account("PUT", "/_berth/access-keys", headers, json.dumps(key).encode())

    return register


def main():
    sts.register_session = known_to_account(sts.register_session)
    for service in ("elasticloadbalancing", "ecs", "apigateway"):
        app.SERVICE_HANDLERS[service] = to_account(service)
    app.SERVICE_HANDLERS["logs"] = logs(app.SERVICE_HANDLERS["logs"])
    if os.environ.get("BERTH_SLOTS_AT_ONCE"):
        app.SERVICE_HANDLERS["dynamodb"] = slots_at_once(app.SERVICE_HANDLERS["dynamodb"])
    # By this name it finds which of ELBv2's operations carry tags.
    iam_actions._BOTOCORE_SERVICE_MAP["elasticloadbalancing"] = ["elbv2"]
    iam_actions.extract_resource_arn = resource_arns(iam_actions.extract_resource_arn)
    iam_actions.request_tag_context = request_context(iam_actions.request_tag_context)
    tagging.resource_tags = tags_of(tagging.resource_tags)
    app.main()


if __name__ == "__main__":
    main()
