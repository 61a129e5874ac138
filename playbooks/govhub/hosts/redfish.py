"""The Redfish adapter: one management controller, what it tells of its machine, and what it is asked to do.

The only module that imports ``sushy``. Logins are basic authentication over verified TLS: one look-up leaves no
session behind, and a wrong password is tried once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from govhub.core.secrets import REDACTOR
from govhub.hosts.machines import ControllerError, Login, Machine, serial_of, split_address, words_of

RACK_UNIT_MM = 44.45
ACTIONS = {"on": "On", "off": "GracefulShutdown", "force-off": "ForceOff", "restart": "ForceRestart"}
"""Power actions, and Redfish's names for them."""
_ARCHITECTURES = {"x86-64": "amd64", "ARM-A64": "arm64", "x86": "amd64", "ARM": "arm64"}

T = TypeVar("T")


class Controller:
    """One management controller; nothing is sent before the first call."""

    def __init__(self, address: str, login: Login, *, authority: Path | None = None, timeout: float = 20.0) -> None:
        """Remember how it is reached.

        Args:
            address: As in hub files.
            login: Who logs in.
            authority: PEM file of the authority that signed its certificate; None for this machine's own store.
            timeout: Seconds for one answer.

        Raises:
            InvalidInput: the address is none (BMC001).
        """
        self.address = address
        self._base, self._path = split_address(address)
        self._login, self._authority, self._timeout = login, authority, timeout
        self._found: Any = None

    def look(self) -> Machine:
        """What the controller tells of its machine.

        Raises:
            ControllerError: it does not answer, refuses the login, or speaks no Redfish (BMC010 to BMC014).
        """
        return self._try(self._look)

    def power(self, action: str) -> None:
        """Switch the machine: one of ``ACTIONS``; nothing when it is on or off already. Controllers take seconds.

        Raises:
            ControllerError: as ``look``, or the controller does not do it (BMC015).
        """
        self._try(lambda: self._switch(action))

    def boot_from_network_once(self) -> None:
        """Let the next start, and only that, come from the network.

        Raises:
            ControllerError: as ``look``, or the controller does not do it (BMC015).
        """
        import sushy

        once = sushy.BootSourceOverrideEnabled.ONCE
        self._try(lambda: self._system().set_system_boot_options(target=sushy.BootSource.PXE, enabled=once))

    def _switch(self, action: str) -> None:
        import sushy

        system = self._system()
        system.refresh(force=True)
        state = getattr(system.power_state, "value", "")
        # Some controllers take it as an error.
        if (action, state) not in (("on", "On"), ("off", "Off"), ("force-off", "Off")):
            system.reset_system(sushy.ResetType(ACTIONS[action]))

    def _system(self) -> Any:
        if self._found is None:
            root = _root(self._base, self._login, str(self._authority) if self._authority else True, self._timeout)
            self._found = root.get_system(self._path or None)
        return self._found

    def _look(self) -> Machine:
        system = self._system()
        serial = serial_of(system.serial_number, system.uuid)
        if not serial:
            raise ControllerError.one(
                "BMC014",
                f"{self.address}: the machine tells neither a serial number nor a UUID",
                address=self.address,
                hint="set one in the controller: without it the machine cannot be told from others",
            )
        processors = _members(lambda: system.processors)
        processors = [item for item in processors if getattr(item.processor_type, "value", "CPU") == "CPU"]
        size = system.memory_summary.size_gib if system.memory_summary else None
        chassis = _chassis(system)
        boot = system.boot
        target = getattr(boot.target, "value", "") if boot else ""
        enabled = getattr(boot.enabled, "value", "") if boot else ""
        return Machine(
            bmc=self.address,
            serial=serial,
            model=words_of(system.manufacturer, system.model),
            power=getattr(system.power_state, "value", "") or "",
            boot=f"{target} ({enabled})" if target and target != "None" and enabled != "Disabled" else "",
            arch=_arch(processors),
            cores=_sum(item.total_cores for item in processors),
            threads=_sum(item.total_threads for item in processors),
            memory=size * 2**30 if size else None,
            storage=_storage(system),
            units=round(chassis.height_mm / RACK_UNIT_MM) or 1 if chassis and chassis.height_mm else None,
            kg=float(chassis.weight_kg) if chassis and chassis.weight_kg else None,
            macs=_macs(system),
        )

    def _try(self, ask: Callable[[], T]) -> T:
        from sushy import exceptions

        refusals = (exceptions.MissingActionError, exceptions.InvalidParameterValueError, exceptions.BadRequestError)
        try:
            return ask()
        except ControllerError:
            raise
        except exceptions.AccessError as error:
            hint = "check user and password; it was tried once"
            raise self._error("BMC011", "refuses the login", hint) from error
        except exceptions.ConnectionError as error:
            raise self._unreachable(error) from error
        except exceptions.UnknownDefaultError as error:
            hint = f"name one: {self.address}/redfish/v1/Systems/NAME"
            raise self._error("BMC014", "has not exactly one machine", hint) from error
        except refusals as error:
            text = f"does not do this: {_short(error)}"
            raise self._error("BMC015", text, "do it in the controller itself") from error
        except exceptions.ServerSideError as error:
            raise self._error("BMC016", f"failed: {_short(error)}", "look at the controller, then try again") from error
        except Exception as error:
            text = f"speaks no Redfish that is understood: {_short(error)}"
            raise self._error("BMC013", text, "is this the address of a management controller?") from error

    def _unreachable(self, error: Exception) -> ControllerError:
        kind = type(error.__context__).__name__
        if kind == "SSLError" and "CERTIFICATE_VERIFY_FAILED" in str(error):
            hint = "name the authority that signed it as `baseline.bmc_ca` in the hub, or correct the address"
            return self._error("BMC012", "has a certificate that cannot be verified", hint)
        what = f"does not answer within {self._timeout:g} s" if "Timeout" in kind else "cannot be reached"
        what = "speaks no TLS" if kind == "SSLError" else what
        return self._error("BMC010", what, "check address, cable and firewall; the others go on")

    def _error(self, code: str, text: str, hint: str) -> ControllerError:
        return ControllerError.one(code, f"{self.address}: {text}", address=self.address, hint=hint)


def _root(base: str, login: Login, verify: str | bool, timeout: float) -> Any:
    import sushy
    from sushy.auth import BasicAuth
    from sushy.connector import Connector

    # It says to a logger what it also raises; without a handler that would end up on stderr.
    logger = logging.getLogger("sushy")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False

    class Direct(Connector):  # type: ignore[misc]  # sushy has no types
        """Straight to the controller: no proxy, netrc or certificate store that the environment names."""

        def __init__(self) -> None:
            super().__init__(
                base,
                verify=verify,
                server_side_retries=1,
                server_side_retries_delay=0,
                default_request_timeout=timeout,
                connect_timeout=min(timeout, 10.0),
            )
            self._session.trust_env = False

    return sushy.Sushy(base, auth=BasicAuth(login.user, login.password.reveal()), connector=Direct())


def _optional(ask: Callable[[], T]) -> T | None:
    """What a controller need not have: None when it has not."""
    from sushy import exceptions

    try:
        return ask()
    except (exceptions.MissingAttributeError, exceptions.ResourceNotFoundError, exceptions.ServerSideError):
        # Some answer "not implemented" (501) where others leave the link out.
        return None


def _members(collection: Callable[[], Any]) -> list[Any]:
    """The members of a collection that a controller need not have."""
    return _optional(lambda: list(collection().get_members())) or []


def _arch(processors: list[Any]) -> str | None:
    words = {
        _ARCHITECTURES.get(getattr(item.instruction_set or item.processor_architecture, "value", ""), "")
        for item in processors
    }
    return words.pop() or None if len(words) == 1 else None


def _sum(amounts: Iterable[int | None]) -> int | None:
    """The sum, unless one is not told."""
    found = list(amounts)
    known = [item for item in found if item]
    return sum(known) if known and len(known) == len(found) else None


def _storage(system: Any) -> int | None:
    drives = _optional(lambda: [size for part in _members(lambda: system.storage) for size in part.drives_sizes_bytes])
    return sum(drives or _optional(lambda: system.simple_storage.disks_sizes_bytes) or []) or None


def _chassis(system: Any) -> Any:
    """The machine's own chassis; that of a blade enclosure says nothing of one machine."""
    found = [item for item in _optional(lambda: system.chassis) or [] if item.chassis_type is not None]
    own = [item for item in found if item.chassis_type.value in ("RackMount", "StandAlone")]
    return own[0] if len(own) == 1 else None


def _macs(system: Any) -> tuple[str, ...]:
    cards = _members(lambda: system.ethernet_interfaces)
    found = {words_of(item.mac_address or item.permanent_mac_address).lower() for item in cards}
    return tuple(sorted(found - {""}))


def _short(error: Exception) -> str:
    return REDACTOR(words_of(str(error)) or type(error).__name__)
