"""The child process of a fan-out: pyinfra's API over SSH, host beside host; the only module that imports pyinfra.

It is a process of its own because pyinfra works with gevent, which replaces sockets, threads and signals of the whole
process: nothing of that may reach the process that runs engines and playbooks. It reads one JSON request from its
standard input and writes one JSON object a line, a host each, as they come.
"""

from __future__ import annotations

from gevent import monkey

if __name__ == "__main__":
    # Before anything else opens a socket.
    monkey.patch_all()

import json
import logging
import sys
import time
from typing import Any

import gevent
from pyinfra.api import Config, FactBase, Inventory, State, StringCommand
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host

CONNECT_SECONDS = 10


class Clock(FactBase):  # type: ignore[misc]  # pyinfra's types are not exported
    """The host's clock, in seconds since 1970."""

    def command(self) -> str:
        """One short round trip, so that the difference to our clock is known to milliseconds."""
        return "date +%s.%N"

    def process(self, output: list[str]) -> float:
        """The first line as a number."""
        return float(output[0])


class Answer(FactBase):  # type: ignore[misc]
    """What a shell line prints when a script is on its standard input."""

    def command(self, line: str) -> str:
        """The line as it is."""
        return line

    def process(self, output: list[str]) -> list[str]:
        """The lines as they are; whoever asked decodes them."""
        return output


def main() -> int:
    """Serve one request; returns the exit code."""
    logging.disable(logging.CRITICAL)
    request = json.load(sys.stdin)
    hosts = [(entry["name"], _connection(entry)) for entry in request["hosts"]]
    parallel = max(1, min(len(hosts), int(request["parallel"])))
    config = Config(CONNECT_TIMEOUT=min(CONNECT_SECONDS, int(request["timeout"]) or 1), PARALLEL=parallel)
    state = State(Inventory((hosts, {})), config)
    _Fanout(state, request).run()
    return 0


def _connection(entry: dict[str, str]) -> dict[str, Any]:
    """Pyinfra's own names; a key that is not known is refused, never taken over."""
    data: dict[str, Any] = {
        "ssh_hostname": entry["address"],
        "ssh_user": entry["user"],
        "ssh_strict_host_key_checking": "yes",
        "ssh_forward_agent": False,
    }
    if entry["key"]:
        data |= {"ssh_key": entry["key"], "ssh_config_file": "/dev/null"}
    if entry["known_hosts"]:
        data["ssh_known_hosts_file"] = entry["known_hosts"]
    return data


class _Fanout:
    def __init__(self, state: State, request: dict[str, Any]) -> None:
        self._state, self._request = state, request
        self._failed = 0
        self._total = len(state.inventory)

    def run(self) -> None:
        gevent.joinall([self._state.pool.spawn(self._one, host) for host in self._state.inventory])

    def _one(self, host: Host) -> None:
        if self._failed * 100 > self._total * self._request["max_fail"]:
            _say({"host": host.name, "status": "not tried", "why": "too many hosts had failed before"})
            return
        begin = time.monotonic()
        result: dict[str, Any] = {"host": host.name}
        try:
            with gevent.Timeout(self._request["timeout"]):
                result |= self._answer(host)
        except gevent.Timeout:
            result |= {"status": "slow", "why": f"no answer within {self._request['timeout']:g} s"}
        except ConnectError as error:
            result |= {"status": "unreachable", "why": str(error)}
        except Exception as error:  # noqa: BLE001  # one host's trouble must not be the others'
            result |= {"status": "unreachable", "why": f"{type(error).__name__}: {error}"}
        result["seconds"] = round(time.monotonic() - begin, 3)
        if result["status"] != "answered":
            self._failed += 1
        _say(result)

    def _answer(self, host: Host) -> dict[str, Any]:
        host.connect(show_errors=False, raise_exceptions=True)
        out = self._clock(host) if self._request["clock"] else {}
        if script := self._request["script"]:
            lines = host.get_fact(Answer, line=self._request["line"], _stdin=script, _ignore_errors=True)
        else:
            _, output = host.run_shell_command(StringCommand(self._request["line"]))
            lines = output.stdout_lines
        # The last line tells how the command ended; without it, it has not.
        if not lines or not lines[-1].removeprefix("exit ").isdigit():
            return out | {"status": "unreachable", "why": "the connection broke off before the end"}
        code = int(lines[-1].removeprefix("exit "))
        self._failed += code != 0
        return out | {"status": "answered", "exit": code, "output": "".join(lines[:-1])}

    def _clock(self, host: Host) -> dict[str, float]:
        before = time.time()
        found = host.get_fact(Clock, _ignore_errors=True)
        after = time.time()
        if found is None:
            return {}
        return {"offset": round(found - (before + after) / 2, 4), "uncertainty": round((after - before) / 2, 4)}


def _say(result: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
