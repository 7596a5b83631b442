"""Deploys `infra/template.yaml` to MiniStack: what `sam deploy` does, by CloudFormation's API.

    deploy.py GATEWAY ACCOUNT ARCHITECTURE OUTPUTS_FILE

The template goes as it stands; only the paths of code and definition become places in S3, as packaging does.
"""

import io
import json
import pathlib
import sys
import zipfile

import boto3
from botocore.config import Config
from samtranslator.yaml_helper import yaml_parse

INFRA = pathlib.Path(__file__).resolve().parent.parent
STACK, BUCKET = "berth", "berth-artifacts"
# A role that a task definition has, so that Berth must be allowed to pass it on.
TASK_ROLE, FAMILY_WITH_ROLE = "arn:aws:iam::000000000000:role/task-execution", "with-a-role"


def zipped(folder):
    """The folder as a Lambda's zip, its files executable."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            info = zipfile.ZipInfo(path.name)
            info.external_attr = 0o755 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return content.getvalue()


def package(s3, template):
    """Uploads what the template names by a path, and puts its place in S3 there instead."""

    def place(key, content):
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return {"Bucket": BUCKET, "Key": key}

    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = place(f"{name}.zip", zipped((INFRA / properties["CodeUri"]).resolve()))
        if resource["Type"] == "AWS::Serverless::StateMachine":
            definition = (INFRA / properties["DefinitionUri"]).resolve()
            properties["DefinitionUri"] = place(f"{name}.json", definition.read_bytes())


def parameters(account, architecture, subnets, security_groups):
    values = {
        "Architecture": architecture,
        "Subnets": ",".join(subnets),
        "SecurityGroups": ",".join(security_groups),
        "ClusterName": "default",
        "TaskRoleArns": TASK_ROLE,
        # Where the stand-in's tasks write.
        "TaskLogGroups": "/berth/*",
        "OidcIssuer": f"{account}/_berth",
        "OidcAudience": "berth",
        "StageUrl": f"{account}/restapis/{{api}}/{{stage}}/_user_request_",
    }
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def main():
    gateway, account, architecture, outputs_file = sys.argv[1:]
    session = boto3.Session("test", "test", region_name="us-east-1")
    patient = Config(retries={"max_attempts": 1}, read_timeout=120)

    def client(service, endpoint=gateway):
        return session.client(service, endpoint_url=endpoint, config=patient)

    s3, cloudformation, ec2 = client("s3"), client("cloudformation"), client("ec2", account)
    client("ecs", account).register_task_definition(
        family=FAMILY_WITH_ROLE,
        executionRoleArn=TASK_ROLE,
        tags=[{"key": "berth:team", "value": "@all"}],
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "berth/sample", "portMappings": [{"containerPort": 8000}]}],
    )
    s3.create_bucket(Bucket=BUCKET)
    template = yaml_parse((INFRA / "template.yaml").read_text())
    package(s3, template)
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template, default=str).encode())
    # The others of the account stay out of Berth's reach.
    named = [{"Name": "tag:Name", "Values": ["berth-a", "berth-b"]}]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=named)["Subnets"]]
    named = [{"Name": "group-name", "Values": ["berth"]}]
    groups = [group["GroupId"] for group in ec2.describe_security_groups(Filters=named)["SecurityGroups"]]
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{gateway}/{BUCKET}/template.json",
        Parameters=parameters(account, architecture, subnets, groups),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
    except Exception:
        for event in cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]:
            if "FAILED" in event["ResourceStatus"] or event["ResourceStatus"].startswith("ROLLBACK"):
                print(event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
        raise
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    api, stage = outputs["RestApiId"], outputs["StageName"]
    outputs["url"] = f"{gateway}/restapis/{api}/{stage}/_user_request_"
    pathlib.Path(outputs_file).write_text(json.dumps(outputs))
    print(json.dumps(outputs, indent=2))


if __name__ == "__main__":
    main()
