"""moto as ELBv2, ECS, API Gateway and VPC links: a server of it, with two doors before it, in one process on loopback.

    moto_resources.py GATEWAY FRONT BACK      MiniStack's URL and the doors' ports; prints moto's own URL, runs until killed

    a function → FRONT (faults: moto_faults.py) → MiniStack (IAM: launcher.py) → BACK (what moto lacks: moto_fixes.py) → moto

BACK also answers at the stages' URLs (moto_stage.py). It is started by `ministack`, in moto's own environment
(infra/checks/requirements/moto.in).
"""

import os
import sys
import threading

# MiniStack's account, before moto is imported.
os.environ.update(MOTO_ACCOUNT_ID="000000000000", AWS_EC2_METADATA_DISABLED="true", NO_PROXY="*")

from moto.server import ThreadedMotoServer  # noqa: E402

from moto_account import Account  # noqa: E402
from moto_faults import Door  # noqa: E402
from moto_fixes import Moto  # noqa: E402
from moto_stage import Stage  # noqa: E402
from relay import serve  # noqa: E402


def main():
    gateway, front, back = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    account = Account(url)
    account.furnish()
    serve(back, Moto(url, account, Stage(account)).answer)
    serve(front, Door(gateway).answer)
    print(f"moto {url}, behind {front} and {back}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
