"""Who is let in to an environment, by the command that its representation shows."""

import os
import subprocess
import unittest

from client import Deployed, request, settled

KEY = os.environ.get("BERTH_INVITED_KEY")
INVITED, OTHER = os.environ.get("BERTH_INVITED_CIDR"), os.environ.get("BERTH_OTHER_CIDR")


def status_of(command, key_id="", secret=""):
    """The status that the shown `curl` command gets."""
    env = {**os.environ, "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": ""}
    command = command.replace("curl ", "curl -s -o /dev/null -w '%{http_code}' ", 1)
    return int(subprocess.run(command, shell=True, env=env, check=True, capture_output=True, text=True).stdout)


class AnEnvironment(Deployed):
    def ready(self, name, access):
        environment = settled(self.create(name, access=access).expect(202)["id"])
        self.assertEqual(environment["status"], "ready", environment["failure"])
        self.assertEqual(environment["access"]["kind"], access["kind"])
        return environment

    @unittest.skipUnless(KEY, "BERTH_INVITED_KEY is an access key whose principal may invoke REST APIs")
    def test_with_access_iam_answers_a_signed_request_only(self):
        environment = self.ready("iam", {"kind": "iam"})
        example, (key_id, secret) = environment["access"]["example"], KEY.split(":")
        self.assertEqual(status_of(example, key_id, secret), 200, example)
        self.assertEqual(status_of(example, key_id, secret[::-1]), 403, example)
        self.assertEqual(request("GET", f"{environment['url']}/").status, 403)

    @unittest.skipUnless(OTHER, "BERTH_OTHER_CIDR is a range that the tests' address is not in")
    def test_with_ranges_refuses_other_addresses(self):
        environment = self.ready("closed", {"kind": "cidrs", "cidrs": [OTHER]})
        reply = request("GET", f"{environment['url']}/")
        self.assertEqual((reply.status, reply.headers.get("x-amzn-errortype")), (403, "AccessDeniedException"), reply)

    @unittest.skipUnless(INVITED, "BERTH_INVITED_CIDR is a range that the tests' address is in")
    def test_with_ranges_answers_the_addresses_in_them(self):
        environment = self.ready("invited", {"kind": "cidrs", "cidrs": [INVITED]})
        self.assertEqual(status_of(environment["access"]["example"]), 200, environment["access"])
