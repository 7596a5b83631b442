"""The account that moto plays in the trial: its clients, what an operator has there before Berth comes (network, cluster, task
definitions), and the resources that Berth has created there."""

import boto3
from botocore.exceptions import ClientError

FAMILIES = ["hello", "crash", "crash-once"]


class Account:
    """The account behind an endpoint: moto itself, or moto as the router fixes it."""

    def __init__(self, url):
        session = boto3.Session("test", "test", region_name="us-east-1")
        self.elb, self.ecs, self.apigateway, self.ec2 = (
            session.client(name, endpoint_url=url) for name in ("elbv2", "ecs", "apigateway", "ec2")
        )

    def furnish(self):
        """What deploy.py looks for, under the names that `berth-local account` has too."""
        vpc = self.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        for number, zone in enumerate(["a", "b"]):
            subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
            name = [{"Key": "Name", "Value": f"berth-{zone}"}]
            self.ec2.create_tags(Resources=[subnet["Subnet"]["SubnetId"]], Tags=name)
        self.ec2.create_security_group(GroupName="berth", Description="Berth's", VpcId=vpc)
        self.ecs.create_cluster(clusterName="default")
        for family in FAMILIES:
            self.ecs.register_task_definition(
                family=family,
                tags=[{"key": "berth:team", "value": "@all"}],
                networkMode="awsvpc",
                requiresCompatibilities=["FARGATE"],
                cpu="256",
                memory="512",
                containerDefinitions=[{"name": "web", "image": "sample", "portMappings": [{"containerPort": 8000}]}],
            )

    def has_api(self, api):
        try:
            self.apigateway.get_rest_api(restApiId=api)
            return True
        except ClientError:
            return False

    def inventory(self, name=None):
        """What stands there of environments, or of the one whose resources have this name: its kinds, each with its name."""

        def ours(listed, key):
            return [one for one in listed if name in (None, one[key])]

        found = []
        for balancer in ours(self.elb.describe_load_balancers()["LoadBalancers"], "LoadBalancerName"):
            found.append(("load balancer", balancer["LoadBalancerName"]))
            listeners = self.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
            found += [("listener", balancer["LoadBalancerName"]) for _ in listeners]
        for group in ours(self.elb.describe_target_groups()["TargetGroups"], "TargetGroupName"):
            found.append(("target group", group["TargetGroupName"]))
        for link in ours(self.apigateway.get_vpc_links(limit=500)["items"], "name"):
            found.append(("VPC link", link["name"]))
        for api in ours(self.apigateway.get_rest_apis(limit=500)["items"], "name"):
            found.append(("REST API", api["name"]))
            found += [("stage", api["name"]) for _ in self.apigateway.get_stages(restApiId=api["id"])["item"]]
        arns = self.ecs.list_services(cluster="default", maxResults=100)["serviceArns"]
        for arn in (arn for arn in arns if name in (None, arn.rsplit("/", 1)[-1])):
            service = self.ecs.describe_services(cluster="default", services=[arn])["services"][0]
            if service["status"] != "INACTIVE":
                found.append(("service", service["serviceName"]))
        return sorted(found)
