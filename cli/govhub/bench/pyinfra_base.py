"""The base role's tasks as pyinfra operations, for comparison only: Ansible owns what hosts are set to.

A deploy script of pyinfra's own command line; ``govhub.bench.hostread`` gives the host data.
"""

from __future__ import annotations

from io import StringIO

from pyinfra import host
from pyinfra.operations import apt, files, server

apt.packages(name="Packages", packages=host.data.packages, _sudo=True)
for _path, _text in host.data.texts.items():
    files.put(name=_path, src=StringIO(_text), dest=_path, user="root", group="root", mode="644", _sudo=True)
files.link(name="Time zone", path="/etc/localtime", target=host.data.zone, _sudo=True)
for _name, _key in host.data.people.items():
    _home = f"/home/{_name}"
    server.user(  # noqa: S604  # the login shell of an account
        name=_name,
        user=_name,
        home=_home,
        shell="/bin/bash",
        groups=["sudo"],
        append=True,
        ensure_home=False,
        _sudo=True,
    )
    files.directory(name="Keys", path=f"{_home}/.ssh", user=_name, group=_name, mode="700", _sudo=True)
    files.put(
        name="Key",
        src=StringIO(f"{_key}\n"),
        dest=f"{_home}/.ssh/authorized_keys",
        user=_name,
        group=_name,
        mode="600",
        _sudo=True,
    )
files.put(
    name="Sudo",
    src=StringIO(host.data.sudoers),
    dest="/etc/sudoers.d/50-govhub",
    user="root",
    group="root",
    mode="440",
    _sudo=True,
)
for _name in host.data.former:
    server.user(name=_name, user=_name, present=False, _sudo=True)
