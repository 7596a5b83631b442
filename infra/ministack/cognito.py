"""Runs docs/deploy.md's Cognito commands, as they stand there, against MiniStack's Cognito, and looks at what they make.

    cognito.py AWS      the AWS CLI, by its path

What has to come out: an id token with team, role and audience, and a client through which a user can read the team and
cannot write it. MiniStack does not play that last refusal (UpdateUserAttributes), so the client's lists are looked at.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys

import boto3

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")) / "ministack"
GATEWAY = json.loads((WORK / "running.json").read_text())["gateway"]


def commands():
    """The shell blocks below the heading."""
    section = (HERE.parent.parent / "docs" / "deploy.md").read_text().split("### Cognito\n")[1].split("\n### ")[0]
    return "\n".join(block.split("```")[0] for block in section.split("```sh\n")[1:])


def main():
    aws = pathlib.Path(sys.argv[1])
    env = {
        "PATH": f"{aws.parent}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "AWS_ENDPOINT_URL": GATEWAY,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
        "NO_PROXY": "*",
        "PASSWORD": "Berth-0-trial",
    }
    script = f"set -eu\n{commands()}\necho RESULT $POOL $CLIENT $TOKEN\n"
    ran = subprocess.run(["bash", "-c", script], env=env, text=True, capture_output=True)
    if ran.returncode:
        raise SystemExit(f"docs/deploy.md's commands fail:\n{ran.stdout}\n{ran.stderr}")
    pool, client, token = ran.stdout.rsplit("RESULT ", 1)[1].split()
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    expected = {"custom:team": "demo", "cognito:groups": ["operator"], "aud": client, "token_use": "id"}
    found = {name: claims.get(name) for name in expected}
    assert found == expected, claims

    cognito = boto3.Session("test", "test", region_name="us-east-1").client("cognito-idp", endpoint_url=GATEWAY)
    made = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
    # An empty list would mean Cognito's default, which is all that there is.
    assert made["WriteAttributes"] and "custom:team" not in made["WriteAttributes"], made
    assert "custom:team" in made["ReadAttributes"], made
    policy = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]["AdminCreateUserConfig"]
    assert policy["AllowAdminCreateUserOnly"] is True, policy
    print("docs/deploy.md's Cognito commands give a token with its team, which its user cannot write")


if __name__ == "__main__":
    main()
