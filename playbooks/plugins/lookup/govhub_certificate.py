"""Ansible lookup plugin: certificates of the hub's own authority."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: govhub_certificate
short_description: Certificates of a govhub hub's own authority
description:
  - Signs a host's request, or without one gives the authorities that hosts trust.
  - The authority's key follows from the hub's key and is never written.
options:
  _terms:
    description: Signing requests as PEM; none for the authorities.
  hub:
    description: The hub.
    type: str
    required: true
  generation:
    description: The generation of the authority.
    type: int
    default: 1
  name:
    description: The host that the certificate is for.
    type: str
  addresses:
    description: Its addresses.
    type: list
    elements: str
    default: []
  period:
    description: The quarter that it is for, such as C(2026q4).
    type: str
"""


class LookupModule(LookupBase):
    """One certificate for each request."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """The certificates as PEM."""
        from govhub.core.errors import GovhubError
        from govhub.hosts.authority import bundle, issue

        self.set_options(var_options=variables, direct=kwargs)
        hub, generation = self.get_option("hub"), self.get_option("generation")
        rest = (self.get_option("name"), self.get_option("addresses"), generation, self.get_option("period"))
        try:
            return [issue(hub, term, *rest) for term in terms] or [bundle(hub, generation)]
        except GovhubError as error:
            raise AnsibleLookupError(str(error)) from error
