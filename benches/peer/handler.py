"""The same `POST /environments` as its users would write it in Python: Powertools and boto3.

It validates, looks up the task definition, records environment, name and event in one transaction, starts the workflow
and answers 202. Only what `cargo bench-bootstraps` asks; no part of Berth.
"""

import json
import os
import re
import time
import uuid

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import BadRequestError

logger = Logger(service="environments")
app = APIGatewayRestResolver()
dynamodb, ecs, sfn = boto3.client("dynamodb"), boto3.client("ecs"), boto3.client("stepfunctions")
TABLE, MACHINE = os.environ["BERTH_TABLE"], os.environ["BERTH_STATE_MACHINE"]
NAME = re.compile(r"[a-z0-9](-?[a-z0-9]+){0,39}")


@app.post("/environments")
def create():
    body, caller = app.current_event.json_body, app.current_event.request_context.authorizer
    name, team = body.get("name"), caller["team"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadRequestError("name")
    found = ecs.describe_task_definition(taskDefinition=body["task_definition"])["taskDefinition"]
    environment_id, operation_id, now = f"env_{uuid.uuid4().hex}", f"op_{uuid.uuid4().hex}", str(int(time.time()))
    environment = {
        "id": environment_id, "name": name, "team": team, "status": "queued", "created_at": now,
        "task_definition": found["taskDefinitionArn"],
        "steps": [{"name": step, "state": "pending"} for step in ("load_balancer", "target_group", "listener", "service", "vpc_link", "rest_api", "deployment", "reachable")],
    }
    items = [
        {"pk": {"S": f"TEAM#{team}"}, "sk": {"S": f"ENV#{environment_id}"}, "record": {"S": json.dumps(environment)}},
        {"pk": {"S": f"TEAM#{team}"}, "sk": {"S": f"NAME#{name}"}, "environment": {"S": environment_id}},
        {"pk": {"S": f"ENV#{environment_id}"}, "sk": {"S": f"EVENT#{now}"}, "status": {"S": "queued"}},
    ]
    dynamodb.transact_write_items(TransactItems=[
        {"Put": {"TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}} for item in items
    ])
    identity = json.dumps({"team": team, "environment": environment_id, "operation": operation_id})
    sfn.start_execution(stateMachineArn=MACHINE, name=operation_id, input=identity)
    logger.info("created", environment=environment_id)
    headers = {"Location": f"/environments/{environment_id}", "Retry-After": "5"}
    return Response(202, "application/json", json.dumps(environment), headers)


@logger.inject_lambda_context
def handler(event, context):
    return app.resolve(event, context)
