# SPDX-License-Identifier: Apache-2.0
"""Packet filter rules of one daemon on this host: wanted state declared, the difference applied in one atomic pass.

A daemon owns the chains whose names begin with its own (``nova-network-…``); nothing else in the tables is touched but
the jumps that lead to them, and the two chains that daemons share (``nova-filter-top``, ``nova-postrouting-bottom``).
Each pass is one ``iptables-restore --noflush``: the kernel takes a table whole or not at all, so a failure or a kill
leaves no half-made table.  Rules are written the way ``iptables-save`` prints them, which is how a difference is seen.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nova import errors
from nova.system.commands import CommandRunner
from nova.system.files import file_lock

LOG = logging.getLogger(__name__)

SHARED = frozenset({("filter", "nova-filter-top"), ("nat", "nova-postrouting-bottom")})
"""Chains that several daemons put jumps in; made by the first, removed with the last jump."""

WAIT_S = 10
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_CHAIN = re.compile(r"[A-Za-z0-9_.-]{1,28}")

Chain = tuple[str, str]
"""Table and chain name."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A rule of ours in a chain that is not ours, kept once: put first in it, or last."""

    chain: Chain
    rule: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that one daemon wants in the tables of one address family; empty means that all of it goes away."""

    chains: Mapping[Chain, tuple[str, ...]] = field(default_factory=dict)
    """The rules of each of our own chains, in order, without ``-A chain``."""
    jumps: tuple[Jump, ...] = ()


Saved = dict[str, dict[str, list[str]]]
"""Rules by table and chain, as they are in the kernel."""


def standard_jumps(owner: str, *, nat: bool) -> tuple[Jump, ...]:
    """The way from the kernel's chains into those of *owner*, under the names that operators know."""
    builtin = [("filter", name) for name in ("INPUT", "OUTPUT", "FORWARD")]
    if nat:
        builtin += [("nat", name) for name in ("PREROUTING", "OUTPUT", "POSTROUTING")]
    jumps = [Jump(("filter", name), "-j nova-filter-top") for name in ("FORWARD", "OUTPUT")]
    jumps.append(Jump(("filter", "nova-filter-top"), f"-j {owner}-local"))
    jumps += [Jump((table, name), f"-j {owner}-{name}") for table, name in builtin]
    if nat:
        jumps.append(Jump(("nat", "POSTROUTING"), "-j nova-postrouting-bottom", last=True))
        jumps.append(Jump(("nat", "nova-postrouting-bottom"), f"-j {owner}-snat"))
    return tuple(jumps)


def parse(saved: str) -> Saved:
    """What ``iptables-save`` printed."""
    tables: Saved = {}
    chains: dict[str, list[str]] = {}
    for line in saved.splitlines():
        if line.startswith("*"):
            chains = tables.setdefault(line[1:].strip(), {})
        elif line.startswith(":"):
            chains.setdefault(line[1:].split(" ", 1)[0], [])
        elif line.startswith("-A "):
            _, chain, rule = line.rstrip().split(" ", 2)
            chains.setdefault(chain, []).append(rule)
    return tables


def difference(saved: Saved, wanted: RuleSet, *, owner: str) -> str:
    """The input for ``iptables-restore --noflush`` that leads from *saved* to *wanted*; empty when they agree."""
    tables = sorted({table for table, _ in wanted.chains} | {jump.chain[0] for jump in wanted.jumps} | set(saved))
    parts = []
    for table in tables:
        lines = list(_table_changes(table, saved.get(table, {}), wanted, owner))
        if lines:
            parts.append("\n".join([f"*{table}", *lines, "COMMIT", ""]))
    return "".join(parts)


def _table_changes(table: str, saved: Mapping[str, list[str]], wanted: RuleSet, owner: str) -> Iterator[str]:
    own = {chain: rules for (where, chain), rules in wanted.chains.items() if where == table}
    jumps = [jump for jump in wanted.jumps if jump.chain[0] == table]
    stale = [chain for chain in saved if chain.startswith(f"{owner}-") and chain not in own]
    shared = {chain for where, chain in SHARED if where == table}
    needed = {jump.chain[1] for jump in jumps} & shared
    yield from (f":{_chain(chain)} - [0:0]" for chain in sorted(needed - saved.keys()))
    for chain, rules in own.items():
        if saved.get(chain) != list(rules):
            yield f":{_chain(chain)} - [0:0]"
            yield from (f"-A {chain} {_rule(rule)}" for rule in rules)
    kept: dict[str, int] = {}
    yield from _foreign_changes(saved, jumps, owner, kept)
    yield from (f"-F {chain}" for chain in stale)
    yield from (f"-X {chain}" for chain in stale)
    for chain in sorted((shared & saved.keys()) - needed):
        if not kept.get(chain):
            yield from (f"-D {place} -j {chain}" for place, rules in saved.items() for r in rules if r == f"-j {chain}")
            yield f"-X {chain}"


def _foreign_changes(
    saved: Mapping[str, list[str]], jumps: list[Jump], owner: str, kept: dict[str, int]
) -> Iterator[str]:
    """Jumps to add and to remove; fills *kept* with the number of rules that stay in each foreign chain."""
    ours = re.compile(rf"(^|\s)-[jg] {re.escape(owner)}-")
    wanted = {(jump.chain[1], jump.rule) for jump in jumps}
    for chain, rules in saved.items():
        if chain.startswith(f"{owner}-"):
            continue
        seen: set[str] = set()
        for rule in rules:
            surplus = rule in seen if (chain, rule) in wanted else bool(ours.search(rule))
            if surplus:
                yield f"-D {chain} {rule}"
            else:
                kept[chain] = kept.get(chain, 0) + 1
            seen.add(rule)
    missing = [jump for jump in jumps if jump.rule not in saved.get(jump.chain[1], [])]
    yield from (f"-I {jump.chain[1]} 1 {_rule(jump.rule)}" for jump in reversed(missing) if not jump.last)
    yield from (f"-A {jump.chain[1]} {_rule(jump.rule)}" for jump in missing if jump.last)


def _rule(text: str) -> str:
    """Refuse what could become a second line or is no plain text."""
    if not _PRINTABLE.fullmatch(text):
        raise errors.InternalError("A packet filter rule holds characters that cannot be written.", detail=repr(text))
    return text


def _chain(name: str) -> str:
    if not _CHAIN.fullmatch(name):
        raise errors.InternalError("A packet filter chain has an impossible name.", detail=repr(name))
    return name


class Iptables:
    """The rules of *owner* in one address family of this host."""

    def __init__(self, runner: CommandRunner, *, owner: str, lock_path: Path, family: int = 4) -> None:
        """:param lock_path: a file that all our daemons on this host lock around looking and changing"""
        prefix = {4: "iptables", 6: "ip6tables"}[family]
        self._save, self._restore = f"{prefix}-save", f"{prefix}-restore"
        self._runner = runner
        self._owner = owner
        self._lock_path = lock_path
        self._applied: RuleSet | None = None

    def apply(self, wanted: RuleSet) -> bool:
        """Make the tables hold *wanted* and no other rule of this owner; whether something had to be changed.

        Asking for what was applied last costs nothing.

        :raises errors.HypervisorError: iptables refused; the rules are as before
        """
        if wanted == self._applied:
            return False
        with file_lock(self._lock_path):
            saved = parse(self._runner.run([self._save], as_root=True).text)
            changes = difference(saved, wanted, owner=self._owner)
            if changes:
                LOG.debug("Changing packet filter rules:\n%s", changes)
                argv = [self._restore, "--noflush", f"--wait={WAIT_S}"]
                self._runner.run(argv, stdin=changes.encode(), as_root=True)
        self._applied = wanted
        return bool(changes)

    def look_again(self) -> None:
        """Compare with the kernel at the next ``apply``: somebody else may have flushed the rules."""
        self._applied = None

    def rules(self, chain: Chain) -> list[str]:
        """What is in a chain now, as ``iptables-save`` prints it; nothing when there is no such chain."""
        table, name = chain
        return parse(self._runner.run([self._save, "-t", table], as_root=True).text).get(table, {}).get(name, [])

    def remove(self) -> None:
        """Take away every chain and jump of this owner."""
        self.apply(RuleSet())
