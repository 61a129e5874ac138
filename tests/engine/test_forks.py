"""Children that are forked beside the engine's gRPC become what they are meant to."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, time
import govhub.engine.runner
import grpc, pexpect
from concurrent import futures
server = grpc.server(futures.ThreadPoolExecutor(4))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
grpc.channel_ready_future(grpc.insecure_channel(f"127.0.0.1:{port}")).result(5)
ends = []
for _ in range(40):
    # As a play is started. The pause stands for a busy machine, between the fork and the new program.
    child = pexpect.spawn("/bin/sh", ["-c", "exit 3"], preexec_fn=lambda: time.sleep(0.05))
    child.expect(pexpect.EOF)
    child.close()
    ends.append(child.exitstatus)
print(set(ends), flush=True)
os._exit(0)
"""


def test_a_forked_child_is_not_aborted_by_threads_of_grpc() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "{3}\n", done.stderr[-600:]
