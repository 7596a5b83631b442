"""boto3's usual work on a service behind a network load balancer: make, wait, read, change, delete. The arguments are files of
task definitions; each is registered, and each runs as a separate service. Called by .ci/aws-clients."""

import json
import sys

import boto3
from botocore.exceptions import ClientError

ecs, elb, ec2 = boto3.client("ecs"), boto3.client("elbv2"), boto3.client("ec2")
QUICKLY = {"Delay": 1, "MaxAttempts": 300}
SUBNETS = ["subnet-0be27400000000001", "subnet-0be27400000000002"]
GROUPS = ["sg-0be27400000000001"]
NETWORK = {"awsvpcConfiguration": {"subnets": SUBNETS, "securityGroups": GROUPS}}
VPC = ec2.describe_subnets(SubnetIds=SUBNETS)["Subnets"][0]["VpcId"]


def without_nulls(value):
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(entry) for entry in value]
    return value


def first_port(definition):
    """The first container that is listened at, and its port."""
    for container in definition["containerDefinitions"]:
        for mapping in container.get("portMappings") or []:
            if mapping.get("protocol", "tcp") == "tcp" and "containerPort" in mapping and container.get("essential", True):
                return container["name"], mapping["containerPort"]
    raise AssertionError(definition["family"])


def attributes(reply):
    return {attribute["Key"]: attribute["Value"] for attribute in reply["Attributes"]}


balancer = elb.create_load_balancer(Name="shared", Type="network", Scheme="internal", Subnets=SUBNETS, SecurityGroups=GROUPS,
                                    Tags=[{"Key": "of", "Value": "boto3"}])["LoadBalancers"][0]["LoadBalancerArn"]
assert elb.describe_capacity_reservation(LoadBalancerArn=balancer).get("MinimumLoadBalancerCapacity") is None
elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[balancer], WaiterConfig=QUICKLY)
services = {}
for number, path in enumerate(sys.argv[1:]):
    with open(path, encoding="utf-8") as file:
        definition = without_nulls(json.load(file))
    registered = ecs.register_task_definition(**definition)["taskDefinition"]
    described = ecs.describe_task_definition(taskDefinition=registered["taskDefinitionArn"], include=["TAGS"])
    assert described["taskDefinition"] == registered, path
    container, port = first_port(definition)
    group = elb.create_target_group(Name=f"group-{number}", Protocol="TCP", Port=port, VpcId=VPC, TargetType="ip",
                                    HealthCheckIntervalSeconds=10)["TargetGroups"][0]["TargetGroupArn"]
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=9000 + number,
                                   DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])["Listeners"][0]["ListenerArn"]
    assert attributes(elb.describe_listener_attributes(ListenerArn=listener)) == {"tcp.idle_timeout.seconds": "350"}
    ecs.create_service(serviceName=definition["family"], taskDefinition=definition["family"], desiredCount=1, launchType="FARGATE",
                       networkConfiguration=NETWORK, deploymentController={"type": "ECS"},
                       loadBalancers=[{"targetGroupArn": group, "containerName": container, "containerPort": port}],
                       healthCheckGracePeriodSeconds=420, propagateTags="SERVICE", tags=[{"key": "of", "value": "boto3"}])
    services[definition["family"]] = (group, port)
names = list(services)
for page in range(0, len(names), 10):
    ecs.get_waiter("services_stable").wait(services=names[page:page + 10], WaiterConfig=QUICKLY)
for name, (group, port) in services.items():
    elb.get_waiter("target_in_service").wait(TargetGroupArn=group, WaiterConfig=QUICKLY)
    (task,) = ecs.describe_tasks(tasks=ecs.list_tasks(serviceName=name)["taskArns"], include=["TAGS"])["tasks"]
    assert task["lastStatus"] == "RUNNING", task
    (target,) = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert target["Target"]["Port"] == port, target
    print(f"{name}: {task['taskDefinitionArn'].rsplit('/', 1)[1]} runs and is healthy on port {port}")

try:
    ecs.execute_command(task=task["taskArn"], command="sh", interactive=True)
    raise AssertionError("execute_command was answered")
except ClientError as error:
    assert error.response["Error"] == {"Code": "UnknownOperationException", "Message": "berth-local does not play ecs:ExecuteCommand."}, error

name = names[0]
ecs.update_service(service=name, forceNewDeployment=True)
(deployment,) = ecs.list_service_deployments(service=name, status=["IN_PROGRESS"])["serviceDeployments"]
(deployment,) = ecs.describe_service_deployments(serviceDeploymentArns=[deployment["serviceDeploymentArn"]])["serviceDeployments"]
assert len(deployment["sourceServiceRevisions"]) == 1, deployment
ecs.get_waiter("services_stable").wait(services=[name], WaiterConfig=QUICKLY)
for name in names:
    ecs.delete_service(service=name, force=True)
for page in range(0, len(names), 10):
    ecs.get_waiter("services_inactive").wait(services=names[page:page + 10], WaiterConfig=QUICKLY)
elb.delete_load_balancer(LoadBalancerArn=balancer)
elb.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[balancer], WaiterConfig=QUICKLY)
for group, _ in services.values():
    elb.delete_target_group(TargetGroupArn=group)
for name in names:
    for arn in ecs.list_task_definitions(familyPrefix=name)["taskDefinitionArns"]:
        ecs.deregister_task_definition(taskDefinition=arn)
print(f"{len(names)} services: made, stable, healthy, changed, gone")
