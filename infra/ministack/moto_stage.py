"""What answers at a stage's URL while moto plays API Gateway: the way to the service is followed through what stands in moto, link
by link, as API Gateway would (docs/aws.md#the-gateways-own-answers, #who-may-invoke). moto has no data path.

The service's 200 comes only if everything on that way is there and fits: stage, method, the VPC link that the stage's variable
names, its load balancer, the DNS name and port of the integration, a listener, its target group, a target that is healthy. A
deployment's snapshot is not played: moto keeps none.
"""

import ipaddress
import json
import re
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from relay import Reply


class Refused(Exception):
    """API Gateway's own answer."""

    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message

    def reply(self):
        headers = {"content-type": "application/json", "x-amzn-errortype": self.kind}
        return Reply(self.status, headers, json.dumps({"message": self.message}).encode())


SIGNATURE = r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/([^/]+)/execute-api/\S+, ?SignedHeaders=(\S+), ?Signature=(\w+)"
UNREACHABLE = (500, "InternalServerErrorException", "Internal server error")
DENIED = (403, "AccessDeniedException", "User: anonymous is not authorized to perform: execute-api:Invoke")


class Stage:
    """The stages of the account's REST APIs."""

    def __init__(self, account):
        self.account = account
        # By id, each with secret and principal: the roles' sessions, which MiniStack's STS tells.
        self.keys = {}
        # By REST API and resource: the `connectionId` of its integration, which moto does not keep.
        self.connections = {}

    def answer(self, request, api, stage, path):
        """The answer to a request of any client."""
        try:
            try:
                found = self.account.apigateway.get_stage(restApiId=api, stageName=stage)
            except ClientError:
                raise Refused(403, "ForbiddenException", "Forbidden") from None
            resource, method = self.method(api, path or "/")
            self.admit(api, method, request)
            self.reach(api, resource, method, found.get("variables") or {})
        except Refused as refused:
            return refused.reply()
        return Reply(200, {"content-type": "text/plain"}, f"hello from {path or '/'}\n".encode())

    def test_invoke(self, path, asked):
        """TestInvokeMethod: no policy, no authorization, no stage (docs/aws.md#who-may-invoke)."""
        api, resource, name = re.match(r"/restapis/([^/]+)/resources/([^/]+)/methods/([^/]+)$", path).groups()
        methods = self.resources(api).get(resource, {}).get("resourceMethods", {})
        if name not in methods and "ANY" not in methods:
            return Refused(404, "NotFoundException", "Invalid Method identifier specified").reply()
        answered = {"status": 200, "body": "hello\n", "headers": {}}
        try:
            self.reach(api, resource, methods.get(name) or methods["ANY"], asked.get("stageVariables") or {})
        except Refused as refused:
            body = json.dumps({"message": refused.message})
            answered = {"status": refused.status, "body": body, "headers": {"x-amzn-ErrorType": refused.kind}}
        return Reply(200, {"content-type": "application/json"}, json.dumps(answered).encode())

    def resources(self, api):
        found = self.account.apigateway.get_resources(restApiId=api, limit=500, embed=["methods"])["items"]
        return {resource["id"]: resource for resource in found}

    def method(self, api, path):
        wanted = "/" if path == "/" else "/{proxy+}"
        for identifier, resource in self.resources(api).items():
            if resource["path"] == wanted and "ANY" in resource.get("resourceMethods", {}):
                return identifier, resource["resourceMethods"]["ANY"]
        raise Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")

    def admit(self, api, method, request):
        """The caller has a signature, if the methods want one, and the resource policy permits the request."""
        principal = self.signer(request) if method["authorizationType"] == "AWS_IAM" else None
        policy = self.account.apigateway.get_rest_api(restApiId=api).get("policy")
        if policy and not any(permits(one, principal, request.peer) for one in json.loads(policy)["Statement"]):
            raise Refused(*DENIED)

    def signer(self, request):
        """The principal that signed the request, by botocore's own reckoning of its signature."""
        said = request.header("authorization")
        parts = re.match(SIGNATURE, said)
        if not parts:
            raise Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        key_id, region, names, signature = parts.groups()
        key = self.keys.get(key_id)
        if not key:
            raise Refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        headers = {name: request.header(name) for name in names.split(";")}
        signed = AWSRequest(request.method, f"http://{headers['host']}{request.target}", headers, request.body)
        signed.context["timestamp"] = request.header("x-amz-date")
        signer = SigV4Auth(Credentials(key_id, key["secret"]), "execute-api", region)
        text = signer.string_to_sign(signed, signer.canonical_request(signed))
        if signer.signature(text, signed) != signature:
            raise Refused(403, "InvalidSignatureException", "The request signature we calculated does not match.")
        return key["principal"]

    def reach(self, api, resource, method, variables):
        """The way from the method's integration to a target."""
        integration, connection = method.get("methodIntegration"), self.connections.get((api, resource), "")
        link_id = re.sub(r"\$\{stageVariables\.(\w+)\}", lambda name: variables.get(name[1], ""), connection)
        if not integration or not link_id:
            raise Refused(*UNREACHABLE)
        try:
            link = self.account.apigateway.get_vpc_link(vpcLinkId=link_id)
            balancer = self.account.elb.describe_load_balancers(LoadBalancerArns=link["targetArns"])["LoadBalancers"][0]
            listeners = self.account.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
            uri = urllib.parse.urlsplit(integration["uri"])
            at_port = [one for one in listeners if one["Port"] == uri.port]
            if link["status"] != "AVAILABLE" or uri.hostname != balancer["DNSName"] or not at_port:
                raise Refused(*UNREACHABLE)
            group = at_port[0]["DefaultActions"][0]["TargetGroupArn"]
            targets = self.account.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        except ClientError:
            raise Refused(*UNREACHABLE) from None
        if not any(target["TargetHealth"]["State"] == "healthy" for target in targets):
            raise Refused(*UNREACHABLE)


def permits(statement, principal, address):
    """Whether a statement of a resource policy permits the request, in the two forms that Berth writes."""
    wanted, ranges = statement["Principal"], statement.get("Condition", {}).get("IpAddress", {}).get("aws:SourceIp")
    named = wanted == "*" or principal in (wanted["AWS"] if isinstance(wanted["AWS"], list) else [wanted["AWS"]])
    inside = ranges is None or any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in ranges)
    return statement["Effect"] == "Allow" and named and inside
