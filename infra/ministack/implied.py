"""What AWS checks besides the action that a call names: actions that a call implies for its caller.

Only checks that AWS is known to make, each with its source in docs/aws.md#permissions. MiniStack checks the named action
only, and a role that lacks one of these would work there and fail in AWS. The other way round, a check that AWS does not
make would look like a barrier that is not there: so `iam:PassRole` at `CreateService` is not played.
"""

import os
import urllib.parse

from ministack.core.iam_actions import access_denied_response
from ministack.core.iam_evaluator import AuthError, enforce
from ministack.core.responses import get_account_id
from ministack.core.router import extract_access_key_id

from account import fields

REGION = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")

GROUPS_OF_THE_VPC = "ec2:GetSecurityGroupsForVpc"
NETWORK = [
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    GROUPS_OF_THE_VPC,
]
ENDPOINT_SERVICE_MADE = ["ec2:CreateVpcEndpointServiceConfiguration", "ec2:ModifyVpcEndpointServicePermissions"]
ENDPOINT_SERVICE_REMOVED = ["ec2:DeleteVpcEndpointServiceConfigurations"]
ENDPOINT_SERVICE_SEEN = ["ec2:DescribeVpcEndpointServiceConfigurations"]


def denied(service, method, path, headers, body, query_params):
    """AWS's refusal, when the caller may not do what its call implies; None when it may."""
    access_key = extract_access_key_id(headers, query_params)
    for action, resource, context in actions(service, method, path, headers, body):
        refusal = enforce(
            access_key, action, action.split(":")[0], REGION, resource_arn=resource, service_context=context
        )
        if isinstance(refusal, AuthError):
            continue  # MiniStack has authenticated the call already; this is about rights.
        if refusal:
            return access_denied_response(
                service, action, refusal.principal_arn, "implied", headers=headers, resource_arn=resource,
                explicit_deny=refusal.decision == "Deny", resource_policy_arn=None,
            )
    return None


def actions(service, method, path, headers, body):
    """Each implied action with its resource and condition keys."""
    account = get_account_id()
    if service == "elasticloadbalancing":
        yield from of_elb(body, account)
    elif service == "ecs":
        yield from of_ecs(headers, body, account)
    elif service == "apigateway":
        yield from of_api_gateway(method, path, body, account)


def of_elb(body, account):
    parameters = dict(urllib.parse.parse_qsl(body.decode(errors="replace")))

    def parameter(name):
        return parameters.get(name, "")

    action, prefix = parameter("Action"), f"arn:aws:elasticloadbalancing:{REGION}:{account}"
    made = {
        "CreateLoadBalancer": f"{prefix}:loadbalancer/net/{parameter('Name')}/made",
        "CreateTargetGroup": f"{prefix}:targetgroup/{parameter('Name')}/made",
        "CreateListener": parameter("LoadBalancerArn").replace(":loadbalancer/", ":listener/") + "/made",
    }
    if action in made and parameter("Tags.member.1.Key"):
        yield "elasticloadbalancing:AddTags", made[action], {"elasticloadbalancing:CreateAction": action}
    if action == "CreateLoadBalancer":
        for network in NETWORK:
            yield network, "*", {}
    if action == "SetSecurityGroups":
        yield GROUPS_OF_THE_VPC, "*", {}
    if action == "CreateTargetGroup":
        yield "ec2:DescribeVpcs", "*", {}


def of_ecs(headers, body, account):
    target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
    if not target.endswith(".CreateService"):
        return
    request = fields(body)
    cluster = (request.get("cluster") or "default").rsplit("/", 1)[-1]
    service = f"arn:aws:ecs:{REGION}:{account}:service/{cluster}/{request.get('serviceName')}"
    if request.get("tags"):
        yield "ecs:TagResource", service, {"ecs:CreateAction": "CreateService"}


def of_api_gateway(method, path, body, account):
    endpoint_service = f"arn:aws:ec2:{REGION}:{account}:vpc-endpoint-service/*"
    parts = path.strip("/").split("/")
    if method == "PUT" and parts[0] == "tags":
        # To tag what is there already.
        yield "apigateway:PATCH", urllib.parse.unquote(path).removeprefix("/tags/"), {}
    if method == "POST" and parts == ["restapis"] and fields(body).get("policy"):
        yield "apigateway:UpdateRestApiPolicy", f"arn:aws:apigateway:{REGION}::/restapis", {}
    if method == "POST" and parts in (["restapis"], ["vpclinks"]):
        tags = fields(body).get("tags") or {}
        context = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
        if tags:
            made = f"arn:aws:apigateway:{REGION}::/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2F{parts[0]}%2Fmade"
            yield "apigateway:PUT", made, context
    if method == "POST" and parts == ["vpclinks"]:
        for action in ENDPOINT_SERVICE_MADE:
            yield action, endpoint_service, {}
    if method == "DELETE" and parts[0] == "vpclinks":
        for action in ENDPOINT_SERVICE_REMOVED:
            yield action, endpoint_service, {}
    if parts[0] == "vpclinks" and method in ("POST", "DELETE"):
        for action in ENDPOINT_SERVICE_SEEN:
            yield action, "*", {}
