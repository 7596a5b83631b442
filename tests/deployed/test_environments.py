"""An environment's life, as its user sees it."""

import threading
import unittest
import uuid

from client import CRASHING_FAMILY, FAMILY, Deployed, call, request, settled


class AnEnvironment(Deployed):
    def test_becomes_ready_answers_through_its_url_and_is_deleted_with_a_receipt(self):
        created = self.create("whole", ttl="1h")
        created.expect(202)
        self.assertTrue(created.headers["location"].endswith(f"/environments/{created['id']}"), created)
        self.assertGreater(int(created.headers["retry-after"]), 0)
        self.assertEqual(created["status"], "queued")

        # The name is taken, also by a request that comes while it is being built.
        self.assert_problem(self.create("whole"), 409, "name_taken")

        ready = settled(created["id"])
        self.assertEqual(ready["status"], "ready", ready["failure"])
        answer = request("POST", f"{ready['url']}/deep/path?x=1", b"a body", {"Content-Type": "text/plain"})
        answer.expect(200)
        self.assertIn(b"/deep/path?x=1", answer.content)

        events = call("GET", f"/environments/{created['id']}/events").expect(200)
        self.assertIn("ready", str(events.json()))

        extended = call("POST", f"/environments/{created['id']}/extend", {"ttl": "2h"}).expect(200)
        self.assertGreater(extended["expires_at"], ready["expires_at"])

        call("DELETE", f"/environments/{created['id']}").expect(202)
        call("DELETE", f"/environments/{created['id']}").expect(202)
        deleted = settled(created["id"])
        self.assertEqual(deleted["status"], "deleted", deleted)
        self.assertGreaterEqual(len(deleted["resources"]), 7, deleted)
        self.assertIsNotNone(deleted["kept_until"], deleted)
        # The index of statuses may lag behind for a moment.
        listed = call("GET", "/environments?status=deleted&limit=100").expect(200)
        self.assertTrue(all(one["status"] == "deleted" for one in listed["environments"]), listed)
        for resource in deleted["resources"]:
            self.assertIsNotNone(resource["absent_at"], resource)
        self.assertGreaterEqual(request("GET", ready["url"]).status, 400)

    def test_is_deleted_while_it_is_being_built(self):
        created = self.create("early")
        call("DELETE", f"/environments/{created['id']}").expect(202)
        self.assertEqual(settled(created["id"])["status"], "deleted")

    def test_is_made_once_however_often_the_same_request_is_sent(self):
        key, replies = str(uuid.uuid4()), []
        threads = [
            threading.Thread(target=lambda: replies.append(self.create("once", Idempotency_Key=key))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({reply.status for reply in replies}, {202}, [str(reply) for reply in replies])
        self.assertEqual(len({reply["id"] for reply in replies}), 1)
        self.assert_problem(self.create("another", Idempotency_Key=key), 422, "idempotency_key_reused")

    @unittest.skipUnless(CRASHING_FAMILY, "BERTH_TASK_THAT_CRASHES names a task definition that exits with code 3")
    def test_of_a_task_that_crashes_fails_with_evidence_and_leaves_nothing(self):
        created = self.create("crash", family=CRASHING_FAMILY).expect(202)
        failed = settled(created["id"])
        self.assertEqual(failed["status"], "failed", failed)
        self.assertEqual(failed["failure"]["cause"], "container_exited", failed["failure"])
        self.assertIn("exited with code 3", str(failed["failure"]["evidence"]))
        self.assertIn("boom", str(failed["failure"]["evidence"]))
        for resource in failed["resources"]:
            self.assertIsNotNone(resource["absent_at"], resource)
        call("DELETE", f"/environments/{created['id']}").expect(202)
        self.assertEqual(settled(created["id"])["status"], "deleted")


class ARequest(Deployed):
    def test_with_wrong_fields_is_refused_with_a_pointer_to_each(self):
        reply = call("POST", "/environments", {"name": "My app", "task_definition": "hello", "desired_count": 0})
        self.assert_problem(reply, 400, "invalid_request")
        self.assertEqual({error["pointer"] for error in reply["errors"]}, {"/name", "/desired_count"})

    def test_that_is_no_json_or_names_an_unknown_task_definition_is_refused(self):
        self.assert_problem(call("POST", "/environments", b"{"), 400, "malformed_json")
        reply = self.create("unknown", family="there-is-no-such-family")
        self.assertIn(reply.status, (400, 422), reply)

    def test_that_names_a_network_of_others_is_refused_with_its_places(self):
        network = {"subnets": ["subnet-00000001"], "security_groups": ["sg-00000001"]}
        reply = call("POST", "/environments", {"name": "elsewhere", "task_definition": FAMILY, "network": network})
        self.assert_problem(reply, 422, "not_allowed")
        pointers = {error["pointer"] for error in reply["errors"]}
        self.assertEqual(pointers, {"/network/subnets/0", "/network/security_groups/0"})

    def test_for_a_path_or_method_that_is_not_there_is_refused_as_a_problem(self):
        self.assert_problem(call("GET", "/nowhere"), 404, "not_found")
        self.assert_problem(call("PUT", "/environments", {}), 405, "method_not_allowed")

    def test_of_another_team_sees_and_changes_nothing(self):
        created = self.create("mine").expect(202)
        path = f"/environments/{created['id']}"
        for method, suffix, body in [
            ("GET", "", None),
            ("DELETE", "", None),
            ("GET", "/events", None),
            ("POST", "/extend", {"ttl": "1h"}),
            ("POST", "/retry", None),
        ]:
            reply = call(method, path + suffix, body, token=self.foreign)
            self.assert_problem(reply, 404, "not_found")
        listed = call("GET", "/environments", token=self.foreign).expect(200)
        self.assertNotIn(created["id"], str(listed.json()))

    def test_for_findings_needs_the_operator_role(self):
        self.assert_problem(call("GET", "/findings"), 403, "forbidden")
        call("GET", "/findings", token=self.operator).expect(200)
