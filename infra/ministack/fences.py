"""What the worker's and the janitor's roles must not be able to do, tried as those roles on what is deployed.

    infra/ministack/ministack up
    target/ministack/venv/bin/python infra/ministack/fences.py

Each trespass has to be refused by IAM (MiniStack with AUTH=true), by Berth's own policies: nothing of the functions'
code is asked. What they may do is tried too, so that a refusal of everything does not pass. `ministack test` runs this.
"""

import json
import os
import pathlib
import sys
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")) / "ministack"
GATEWAY = json.loads((WORK / "running.json").read_text())["gateway"]
# The account allows few deletions of REST APIs a minute.
PATIENT = Config(retries={"mode": "standard", "max_attempts": 8})


def clients(key="test", secret="test", token=None):
    session = boto3.Session(key, secret, token, region_name="us-east-1")
    return lambda name: session.client(name, endpoint_url=GATEWAY, config=PATIENT)


ROOT = clients()
RESOURCES = {
    resource["LogicalResourceId"]: resource["PhysicalResourceId"]
    for resource in ROOT("cloudformation").describe_stack_resources(StackName="berth")["StackResources"]
}
TABLE, OWN_API = RESOURCES["Table"], RESOURCES["RestApi"]
OURS, THEIRS = {"berth:deployment": TABLE}, {"berth:deployment": "another", "owner": "accounting"}
ARN = "arn:aws:apigateway:us-east-1::/{}/{}"


def as_role(role):
    """Clients with the role's rights. Its trust names Lambda only, so the account is let in for the moment."""
    iam, name = ROOT("iam"), RESOURCES[role]
    found = iam.get_role(RoleName=name)["Role"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}],
    }
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    try:
        keys = ROOT("sts").assume_role(RoleArn=found["Arn"], RoleSessionName="fences")["Credentials"]
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(found["AssumeRolePolicyDocument"]))
    return clients(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


class Foreign:
    """A REST API and a load balancer with its VPC link that another owner has in the account."""

    def __enter__(self):
        api, elb, ec2 = ROOT("apigateway"), ROOT("elbv2"), ROOT("ec2")
        self.api = api.create_rest_api(name="accounting", tags={"owner": "accounting"})["id"]
        self.root = api.get_resources(restApiId=self.api)["items"][0]["id"]
        self.other = api.create_rest_api(name="another-deployment", tags=THEIRS)["id"]
        network = json.loads((WORK / "network.json").read_text())
        name = f"accounting-{uuid.uuid4().hex[:8]}"
        made = elb.create_load_balancer(
            Name=name, Type="network", Scheme="internal", Subnets=network["subnets"], SecurityGroups=network["groups"]
        )
        self.balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[self.balancer], WaiterConfig={"Delay": 1})
        self.link = api.create_vpc_link(name=name, targetArns=[self.balancer], tags={"owner": "accounting"})["id"]
        return self

    # The load balancer stays until the account goes: it is in use for a minute after its link is gone.
    def __exit__(self, *_):
        api = ROOT("apigateway")
        removals = [lambda: api.delete_vpc_link(vpcLinkId=self.link)]
        removals += [lambda id=id: api.delete_rest_api(restApiId=id) for id in (self.api, self.other)]
        for remove in removals:
            try:
                remove()
            except api.exceptions.NotFoundException:
                pass  # A trespass has removed it; that is reported.


def trespasses(role, foreign):
    """Calls by their names, each as a function that makes it."""
    api, elb = role("apigateway"), role("elbv2")
    named = {"the API of another owner": foreign.api, "the API of another deployment": foreign.other, "Berth's own API": OWN_API}
    for what, target in named.items():
        arn = ARN.format("restapis", target)
        yield f"take over by a tag: {what}", lambda arn=arn: api.tag_resource(resourceArn=arn, tags=OURS)
        yield f"tag: {what}", lambda arn=arn: api.tag_resource(resourceArn=arn, tags={"a": "b"})
        yield f"untag: {what}", lambda arn=arn: api.untag_resource(resourceArn=arn, tagKeys=["owner"])
        yield f"change: {what}", lambda id=target: api.update_rest_api(
            restApiId=id, patchOperations=[{"op": "replace", "path": "/description", "value": "changed"}]
        )
        yield f"extend: {what}", lambda id=target: api.create_resource(restApiId=id, parentId=foreign.root, pathPart="x")
        yield f"open a method of: {what}", lambda id=target: api.put_method(
            restApiId=id, resourceId=foreign.root, httpMethod="GET", authorizationType="NONE"
        )
        yield f"close a method of: {what}", lambda id=target: api.delete_method(
            restApiId=id, resourceId=foreign.root, httpMethod="GET"
        )
        yield f"deploy: {what}", lambda id=target: api.create_deployment(restApiId=id)
        yield f"remove: {what}", lambda id=target: api.delete_rest_api(restApiId=id)
    link = ARN.format("vpclinks", foreign.link)
    yield "take over a VPC link by a tag", lambda: api.tag_resource(resourceArn=link, tags=OURS)
    yield "untag a VPC link", lambda: api.untag_resource(resourceArn=link, tagKeys=["owner"])
    yield "rename a VPC link", lambda: api.update_vpc_link(
        vpcLinkId=foreign.link, patchOperations=[{"op": "replace", "path": "/name", "value": "changed"}]
    )
    yield "remove a VPC link", lambda: api.delete_vpc_link(vpcLinkId=foreign.link)
    yield "make an API without a tag", lambda: api.create_rest_api(name="untagged")
    yield "make an API of another deployment", lambda: api.create_rest_api(name="theirs", tags=THEIRS)
    yield "tag a load balancer", lambda: elb.add_tags(
        ResourceArns=[foreign.balancer], Tags=[{"Key": "berth:deployment", "Value": TABLE}]
    )
    yield "remove a load balancer", lambda: elb.delete_load_balancer(LoadBalancerArn=foreign.balancer)


def foreign_networks(worker):
    """Creations in networks that the deployment does not allow, each otherwise as the worker makes it."""
    elb, ecs, ec2 = worker("elbv2"), worker("ecs"), ROOT("ec2")
    network = json.loads((WORK / "network.json").read_text())
    own, groups = network["subnets"], network["groups"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    foreign = next(subnet for subnet in subnets if subnet not in own)
    others = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]]
    group = next(group for group in others if group not in groups)

    def balancer(subnets, groups):
        given = {"SecurityGroups": groups} if groups else {}
        return lambda: elb.create_load_balancer(
            Name=f"berth-{uuid.uuid4().hex[:26]}", Type="network", Scheme="internal", Subnets=subnets,
            Tags=[{"Key": "berth:deployment", "Value": TABLE}], **given,
        )

    def service(subnets, public):
        vpc = {"subnets": subnets, "securityGroups": groups, "assignPublicIp": public}
        return lambda: ecs.create_service(
            serviceName=f"berth-{uuid.uuid4().hex[:26]}", taskDefinition="hello:1", desiredCount=1, launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": vpc}, tags=[{"key": "berth:deployment", "value": TABLE}],
        )

    yield "make a load balancer in a foreign subnet", balancer([foreign], groups)
    yield "make a load balancer in an own and a foreign subnet", balancer([own[-1], foreign], groups)
    yield "make a load balancer with a foreign group", balancer(own, [*groups, group])
    yield "make a load balancer without a group", balancer(own, [])
    yield "make a service in a foreign subnet", service([foreign], "DISABLED")
    yield "make a service in an own and a foreign subnet", service([*own, foreign], "DISABLED")
    yield "make a service with a public address", service(own, "ENABLED")


def what_is_wrong(call):
    """Why a call is no clean refusal by IAM; None when it is."""
    try:
        call()
        return "it was allowed"
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return None if code in ("AccessDenied", "AccessDeniedException") else f"{code}: {message}"


def denies_explicitly(role):
    """Whether Berth's own API is refused whatever tag it has."""
    try:
        role("apigateway").delete_rest_api(restApiId=OWN_API)
    except ClientError as error:
        return "explicit deny" in error.response["Error"]["Message"]
    return False


def own_work(role):
    """What the worker is there for, on an API that it makes itself."""
    api = role("apigateway")
    made = api.create_rest_api(name="berth-fences", tags=OURS)["id"]
    try:
        root = ROOT("apigateway").get_resources(restApiId=made)["items"][0]["id"]
        api.put_method(restApiId=made, resourceId=root, httpMethod="ANY", authorizationType="NONE")
    finally:
        api.delete_rest_api(restApiId=made)


def main():
    wrong, tried = [], 0
    worker, janitor = as_role("WorkerRole"), as_role("JanitorRole")
    own_work(worker)
    with Foreign() as foreign:
        for name, role in (("worker", worker), ("janitor", janitor)):
            networks = foreign_networks(role) if name == "worker" else ()
            for what, call in [*trespasses(role, foreign), *networks]:
                tried += 1
                if why := what_is_wrong(call):
                    wrong.append(f"{name}: {what}: {why}")
            if not denies_explicitly(role):
                wrong.append(f"{name}: Berth's own API is not denied explicitly")
    print("\n".join([*wrong, f"{tried} trespasses tried, {len(wrong)} wrong"]), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
