"""The stand-in's account (`berth-local account`), asked over HTTP."""

import asyncio
import http.client
import json
import os
import urllib.parse

ACCOUNT = urllib.parse.urlsplit(os.environ["BERTH_ACCOUNT_URL"])
TIMEOUT_SECONDS = 60
# Said hop by hop, and set anew for the next one.
HOP = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"}


def ask_account(method, path, headers, body):
    """One request to the stand-in: (status, headers, body)."""
    connection = http.client.HTTPConnection(ACCOUNT.hostname, ACCOUNT.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body, {k: v for k, v in headers.items() if k.lower() not in HOP})
        reply = connection.getresponse()
        return reply.status, {k: v for k, v in reply.getheaders() if k.lower() not in HOP}, reply.read()
    finally:
        connection.close()


async def pass_on(method, path, headers, body, query_params):
    """One request of somebody else's, as MiniStack hands it to a service."""
    query = urllib.parse.urlencode(query_params or {}, doseq=True)
    target = urllib.parse.quote(path, safe="/%:") + (f"?{query}" if query and method != "POST" else "")
    return await asyncio.to_thread(ask_account, method, target, headers, body)


def fields(body):
    """A JSON body's fields; none, when it is no JSON object."""
    try:
        value = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
