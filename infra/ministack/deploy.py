"""Deploys `infra/template.yaml` to MiniStack as docs/deploy.md says: `sam build`, then `sam deploy`.

    deploy.py SAM GATEWAY ACCOUNT STAGES ISSUER ARCHITECTURE FOLDER

ACCOUNT is where the environments' account answers, STAGES where its stages do, ISSUER where tokens come from (`berth-local
account`). SAM finds MiniStack by AWS_ENDPOINT_URL. Into FOLDER go what it builds, the stack's outputs (`outputs.json`) and the network that it was told
(`network.json`).
"""

import json
import os
import pathlib
import subprocess
import sys

import boto3
from botocore.config import Config

INFRA = pathlib.Path(__file__).resolve().parent.parent
STACK = "berth"
# The page that tests/deployed asks as.
ORIGIN = "https://portal.example.com"
# A role that a task definition has, so that Berth must be allowed to pass it on.
TASK_ROLE, FAMILY_WITH_ROLE = "arn:aws:iam::000000000000:role/task-execution", "with-a-role"


def sam(program, *words, gateway):
    """Runs it as a user would, in the folder with `samconfig.toml`."""
    env = {
        **os.environ,
        "AWS_ENDPOINT_URL": gateway,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
        "NO_PROXY": "*",
    }
    subprocess.run([program, *map(str, words)], cwd=INFRA, env=env, check=True)


def parameters(stages, issuer, architecture, subnets, security_groups):
    values = {
        "Architecture": architecture,
        "Subnets": ",".join(subnets),
        "SecurityGroups": ",".join(security_groups),
        "ClusterName": "default",
        "TaskRoleArns": TASK_ROLE,
        # Where the stand-in's tasks write.
        "TaskLogGroups": "/berth/*",
        "OidcIssuer": f"{issuer}/_berth",
        "OidcAudience": "berth",
        "StageUrl": f"{stages}/restapis/{{api}}/{{stage}}/_user_request_",
        # The tests try each; the stand-in's clients come from loopback.
        "DefaultAccess": "open",
        "LoosestAccess": "open",
        "AllowedCidrs": "127.0.0.0/8,203.0.113.0/24",
        "ApiGatewayLogging": "set-up",
        # More than the tests use at once: they are not about waiting for it.
        "WorkerConcurrency": 100,
        "ApiConcurrency": 100,
        "AllowedOrigin": ORIGIN,
    }
    return [f"{key}={value}" for key, value in values.items()]


def main():
    program, gateway, account, stages, issuer, architecture, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    session = boto3.Session("test", "test", region_name="us-east-1")
    patient = Config(retries={"max_attempts": 1}, read_timeout=120)

    def client(service, endpoint=gateway):
        return session.client(service, endpoint_url=endpoint, config=patient)

    cloudformation, ec2 = client("cloudformation"), client("ec2", account)
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
    # The others of the account stay out of Berth's reach.
    named = [{"Name": "tag:Name", "Values": ["berth-a", "berth-b"]}]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=named)["Subnets"]]
    named = [{"Name": "group-name", "Values": ["berth"]}]
    groups = [group["GroupId"] for group in ec2.describe_security_groups(Filters=named)["SecurityGroups"]]
    (folder / "network.json").write_text(json.dumps({"subnets": subnets, "groups": groups}))
    # Not in infra/.aws-sam: there a developer may have a build for a real account.
    built = folder / "sam"
    sam(program, "build", "--build-dir", built, gateway=gateway)
    sam(
        program, "deploy", "--template-file", built / "template.yaml", "--config-file", INFRA / "samconfig.toml",
        "--no-confirm-changeset",
        "--parameter-overrides", *parameters(stages, issuer, architecture, subnets, groups), gateway=gateway,
    )
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    api, stage = outputs["RestApiId"], outputs["StageName"]
    outputs["url"] = f"{gateway}/restapis/{api}/{stage}/_user_request_"
    (folder / "outputs.json").write_text(json.dumps(outputs))
    print(json.dumps(outputs, indent=2))


if __name__ == "__main__":
    main()
