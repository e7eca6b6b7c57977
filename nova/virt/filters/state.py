# SPDX-License-Identifier: Apache-2.0
"""Which rules are wanted for which instance, and all of them together as the sets of rules for the tools.  No I/O.

After a restart the state is read back from the kernel, so that changing one instance leaves the others' rules alone.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from nova.system.iptables import Chain, Jump, RuleSet, Saved, standard_jumps
from nova.virt.filters import names


class Place(enum.Enum):
    """A chain with entries for instances: (tool, table, chain with the entries, prefix of the instances' chains)."""

    INGRESS_4 = (4, "filter", names.LOCAL, names.INSTANCE)
    INGRESS_6 = (6, "filter", names.LOCAL, names.INSTANCE)
    SENT_4 = (4, "raw", names.SOURCE, names.SENDER)
    SENT_6 = (6, "raw", names.SOURCE, names.SENDER)
    FRAMES = (0, "nat", names.FRAME_SOURCE, names.FRAME)

    @property
    def tool(self) -> int:
        """4 and 6 are iptables and ip6tables, 0 is ebtables."""
        return self.value[0]

    @property
    def table(self) -> str:
        """The table."""
        return self.value[1]

    @property
    def entry_chain(self) -> str:
        """Where the ways to the instances' chains are."""
        return self.value[2]

    def chain(self, key: str) -> str:
        """The chain of an instance."""
        return self.value[3] + key


@dataclass(frozen=True, slots=True)
class Part:
    """The rules of one instance in one place: the ways into its chain, and the chain."""

    entries: tuple[str, ...]
    rules: tuple[str, ...]


Parts = Mapping[Place, Part]


@dataclass(frozen=True, slots=True)
class State:
    """All instances with their rules, by key."""

    instances: Mapping[str, Parts] = field(default_factory=dict)
    groups: Mapping[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    """Chains of groups by family and name"""

    def rule_set(self, tool: int, *, provider: tuple[str, ...] = ()) -> RuleSet:
        """What one tool must hold.  A chain stands before those that lead to it."""
        places = [place for place in Place if place.tool == tool]
        chains: dict[Chain, tuple[str, ...]] = {}
        if tool:
            chains |= {("filter", f"{names.OWNER}-{builtin}"): () for builtin in ("INPUT", "OUTPUT", "FORWARD")}
            chains |= {("filter", names.FALLBACK): ("-j DROP",), ("filter", names.PROVIDER): provider}
            chains |= {("filter", name): self.groups.get((tool, name), ()) for name in self._used_groups(tool)}
        for place in places:
            parts = {key: found[place] for key, found in sorted(self.instances.items()) if place in found}
            chains |= {(place.table, place.chain(key)): part.rules for key, part in parts.items()}
            entries = tuple(entry for part in parts.values() for entry in part.entries)
            chains[place.table, place.entry_chain] = entries
        jumps = standard_jumps(names.OWNER, nat=False) if tool else ()
        dispatch = tuple(
            Jump((place.table, "PREROUTING"), f"-j {place.entry_chain}") for place in places if place.table != "filter"
        )
        return RuleSet(chains=chains, jumps=(*jumps, *dispatch))

    def _used_groups(self, tool: int) -> list[str]:
        found = {
            rule.rpartition(" ")[2]
            for parts in self.instances.values()
            for place, part in parts.items()
            if place.tool == tool and place.table == "filter"
            for rule in part.rules
        }
        return sorted(name for name in found if name.startswith(names.GROUP))


def read_back(saved: Mapping[int, Saved]) -> State:
    """The state that the kernel's rules show.

    :param saved: by tool
    """
    instances: dict[str, dict[Place, Part]] = {}
    for place in Place:
        chains = saved.get(place.tool, {}).get(place.table, {})
        for name, rules in chains.items():
            key = name.removeprefix(place.chain(""))
            if key != name:
                entries = tuple(rule for rule in chains.get(place.entry_chain, []) if rule.endswith(f" -j {name}"))
                instances.setdefault(key, {})[place] = Part(entries, tuple(rules))
    groups = {
        (tool, name): tuple(rules)
        for tool, tables in saved.items()
        for name, rules in tables.get("filter", {}).items()
        if name.startswith(names.GROUP)
    }
    return State(instances=instances, groups=groups)
