# SPDX-License-Identifier: Apache-2.0
"""The filters of this host's guests, by iptables, ip6tables and ebtables.

Runs in nova-compute.  Rules name the tap device and the addresses, so they stand before the tap exists.  A change is at
most one restore for each of the three tools, in which only the chains that differ are written.  When one is refused,
all are put back as they were.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from nova import errors
from nova.domain.network import Nic
from nova.domain.security_group import InstanceFilter
from nova.system import sysctl
from nova.system.commands import CommandRunner
from nova.system.iptables import Iptables, RuleSet, parse
from nova.virt.filters import ingress, names, spoofing
from nova.virt.filters.ebtables import Ebtables
from nova.virt.filters.state import Part, Parts, Place, State, read_back

LOG = logging.getLogger(__name__)

BRIDGE_SWITCHES = ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables")

Filter = tuple[InstanceFilter, tuple[Nic, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSettings:
    """Values of the options that concern filters."""

    lock_path: Path
    """The file that all our daemons on this host lock around changes of rules"""
    allow_same_net_traffic: bool = True
    provider_rules: tuple[str, ...] = ()
    """Rules of the cloud's operator that come before the users', for iptables"""


class LinuxFilters:
    """Security groups and anti-spoofing (``nova.virt.driver.Filters``)."""

    def __init__(self, settings: FilterSettings, *, runner: CommandRunner) -> None:
        self._settings = settings
        self._runner = runner
        lock_path = settings.lock_path
        self._frames = Ebtables(runner, owner=names.FRAME_OWNER, lock_path=lock_path)
        self._packets = {
            family: Iptables(runner, owner=names.OWNER, lock_path=lock_path, family=family) for family in (4, 6)
        }
        self._state: State | None = None
        self._lock = threading.Lock()

    def check(self) -> None:
        """Make bridges show their packets to iptables, and raise Unavailable where the kernel cannot.

        Without this no rule about guests on one bridge would hold.
        """
        switches = {f"net.bridge.{name}": Path("/proc/sys/net/bridge", name) for name in BRIDGE_SWITCHES}
        for name, path in switches.items():
            if not path.exists():
                raise errors.Unavailable(
                    "The packet filters of this host do not see bridged traffic; load the module br_netfilter.",
                    detail=name,
                )
        if any(path.read_text().strip() != "1" for path in switches.values()):
            sysctl.set_all(self._runner, dict.fromkeys(switches, "1"))

    def apply(self, filters: tuple[Filter, ...]) -> None:
        """Put the filters of some instances in force.  One that is refused does not stop the others.

        :raises errors.HypervisorError: the filters of at least one instance are not in force
        """
        with self._lock:
            old = wanted = self._known()
            try:
                for each in filters:
                    wanted = self._with(wanted, each)
                self._put(wanted)
            except errors.HypervisorError:
                if len(filters) < 2:
                    self._put_back(old)
                    raise
                self._one_by_one(filters)

    def retain(self, instance_uuids: frozenset[str]) -> None:
        """Withdraw the filters of all others."""
        keys = {names.key_of(uuid) for uuid in instance_uuids}
        with self._lock:
            state = self._known()
            self._put(replace(state, instances={k: v for k, v in state.instances.items() if k in keys}))

    def remove(self, instance_uuid: str) -> None:
        """Withdraw the filter of one."""
        gone = names.key_of(instance_uuid)
        with self._lock:
            state = self._known()
            self._put(replace(state, instances={k: v for k, v in state.instances.items() if k != gone}))

    def remove_all(self) -> None:
        """Take every rule and chain of ours out of the kernel."""
        with self._lock:
            self._frames.apply(RuleSet())
            for tool in self._packets.values():
                tool.remove()
            self._state = None

    def look_again(self) -> None:
        """Compare with the kernel at the next change: somebody may have flushed the rules."""
        self._frames.look_again()
        for tool in self._packets.values():
            tool.look_again()

    def _known(self) -> State:
        if self._state is None:
            saved = {4: "iptables-save", 6: "ip6tables-save"}
            tables = {tool: parse(self._runner.run([name], as_root=True).text) for tool, name in saved.items()}
            self._state = read_back({**tables, 0: self._frames.saved()})
        return self._state

    def _put(self, wanted: State) -> None:
        self._frames.apply(wanted.rule_set(0))
        for family, tool in self._packets.items():
            tool.apply(wanted.rule_set(family, provider=self._settings.provider_rules))
        self._state = wanted

    def _put_back(self, old: State) -> None:
        """Undo what the tools before the refusing one hold already."""
        try:
            self._put(old)
        except errors.HypervisorError as exc:
            LOG.error("The packet filters could not be put back as they were: %s", exc)

    def _one_by_one(self, filters: tuple[Filter, ...]) -> None:
        refused: errors.HypervisorError | None = None
        for each in filters:
            old = self._known()
            try:
                self._put(self._with(old, each))
            except errors.HypervisorError as exc:
                LOG.error("The packet filter of instance %s was refused: %s", each[0].instance_uuid, exc)
                self._put_back(old)
                refused = exc
        if refused is not None:
            raise refused

    def _with(self, state: State, each: Filter) -> State:
        wanted, nics = each
        key = names.key_of(wanted.instance_uuid)
        try:
            parts = self._parts(key, wanted, nics)
        except ValueError as exc:
            raise errors.HypervisorError("A network card of the server cannot be filtered.", detail=str(exc)) from exc
        groups = dict(state.groups)
        for group_id, addresses in wanted.members.items():
            for family in (4, 6):
                chain = names.group_chain(int(group_id))
                groups[family, chain] = ingress.member_rules(addresses, version=family)
        return State(instances={**state.instances, key: parts}, groups=groups)

    def _parts(self, key: str, wanted: InstanceFilter, nics: tuple[Nic, ...]) -> Parts:
        parts = {}
        for place in (Place.INGRESS_4, Place.INGRESS_6):
            rules = ingress.instance_rules(
                wanted, nics, version=place.tool, same_net=self._settings.allow_same_net_traffic
            )
            parts[place] = Part(ingress.entry_rules(place.chain(key), nics, version=place.tool), rules)
        for place, make in (
            (Place.SENT_4, spoofing.dhcp_rules),
            (Place.SENT_6, spoofing.neighbour_rules),
            (Place.FRAMES, spoofing.frame_rules),
        ):
            entries = tuple(_from_tap(place, nic, place.chain(key)) for nic in nics)
            parts[place] = Part(entries, tuple(rule for nic in nics for rule in make(nic)))
        return parts


def _from_tap(place: Place, nic: Nic, chain: str) -> str:
    match = f"-i {nic.tap}" if place is Place.FRAMES else f"-m physdev --physdev-in {nic.tap}"
    return f"{match} -j {chain}"
