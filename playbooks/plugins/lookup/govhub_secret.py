"""Ansible lookup plugin: a secret that follows from the hub's key."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: govhub_secret
short_description: A generated secret of a govhub hub
description:
  - Works a secret out from the hub's key, which stays on the machine that runs Ansible.
options:
  _terms:
    description: Addresses of secrets, such as C(databases/pg-main/school).
    required: true
  hub:
    description: The hub.
    type: str
    required: true
  generation:
    description: Raised to renew the secret.
    type: int
    default: 1
  length:
    description: Characters.
    type: int
    default: 32
  form:
    description: The secret itself, or what a server keeps of it.
    type: str
    choices: [plain, scram, mysql]
    default: plain
"""


class LookupModule(LookupBase):
    """One value for each address."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """The secrets."""
        from govhub.core.errors import GovhubError
        from govhub.hosts.passwords import secret_in_form

        self.set_options(var_options=variables, direct=kwargs)
        hub, generation, length, form = (self.get_option(name) for name in ("hub", "generation", "length", "form"))
        try:
            return [secret_in_form(hub, term, generation, length, form) for term in terms]
        except GovhubError as error:
            raise AnsibleLookupError(str(error)) from error
