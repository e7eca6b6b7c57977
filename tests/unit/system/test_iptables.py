# SPDX-License-Identifier: Apache-2.0
"""Differences between wanted and present rules, without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nova import errors
from nova.system.commands import CommandRunner, Completed
from nova.system.iptables import Iptables, Jump, RuleSet, difference, parse, standard_jumps

OWNER = "nova-network"
INPUT = ("filter", f"{OWNER}-INPUT")
WANTED = RuleSet(
    chains={INPUT: ("-i br100 -j DROP",), ("filter", f"{OWNER}-local"): ()},
    jumps=(
        Jump(("filter", "INPUT"), f"-j {OWNER}-INPUT"),
        Jump(("filter", "FORWARD"), "-j nova-filter-top"),
        Jump(("filter", "nova-filter-top"), f"-j {OWNER}-local"),
    ),
)
EMPTY = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [1:2]\n-A INPUT -s 203.0.113.7/32 -j DROP\nCOMMIT\n"


class Kernel(CommandRunner):
    """Answers iptables-save and applies what iptables-restore is given, for the commands that are used."""

    def __init__(self, saved: str = EMPTY) -> None:
        super().__init__()
        self.tables = parse(saved)
        self.calls: list[str] = []

    def run(self, argv: Any, *, stdin: bytes | None = None, **_: Any) -> Completed:  # type: ignore[override]
        self.calls.append(argv[0])
        if stdin is not None:
            self.apply(stdin.decode())
        return Completed(self.text().encode(), b"", 0)

    def apply(self, text: str) -> None:
        table: dict[str, list[str]] = {}
        for line in text.splitlines():
            verb, _, rest = line.partition(" ")
            name, _, rule = rest.partition(" ")
            if line.startswith("*"):
                table = self.tables.setdefault(line[1:], {})
            elif line.startswith(":"):
                table[verb[1:]] = []
            elif verb == "-A":
                table[name].append(rule)
            elif verb == "-I":
                table[name].insert(0, rule.removeprefix("1 "))
            elif verb == "-D":
                table[name].remove(rule)
            elif verb == "-F":
                table[name].clear()
            elif verb == "-X":
                assert not table.pop(name)
                assert not any(rule.endswith(f"-j {name}") for rules in table.values() for rule in rules)

    def text(self) -> str:
        lines = []
        for table, chains in self.tables.items():
            lines += [f"*{table}", *(f":{name} - [0:0]" for name in chains)]
            lines += [f"-A {name} {rule}" for name, rules in chains.items() for rule in rules] + ["COMMIT"]
        return "\n".join(lines) + "\n"


def iptables(kernel: Kernel, path: Path) -> Iptables:
    return Iptables(kernel, owner=OWNER, lock_path=path / "lock")


def test_what_is_applied_once_is_not_sent_again(tmp_path: Path) -> None:
    kernel = Kernel()
    rules = iptables(kernel, tmp_path)
    assert rules.apply(WANTED)
    assert kernel.calls == ["iptables-save", "iptables-restore"]
    assert not rules.apply(WANTED)
    assert len(kernel.calls) == 2
    rules.look_again()
    assert not rules.apply(WANTED)
    assert kernel.calls[2:] == ["iptables-save"]


def test_rules_of_others_stay_where_they_are_and_ours_come_first(tmp_path: Path) -> None:
    kernel = Kernel()
    iptables(kernel, tmp_path).apply(WANTED)
    assert kernel.tables["filter"]["INPUT"] == [f"-j {OWNER}-INPUT", "-s 203.0.113.7/32 -j DROP"]


def test_a_changed_chain_is_replaced_and_the_others_are_not_touched() -> None:
    kernel = Kernel()
    kernel.apply(difference(kernel.tables, WANTED, owner=OWNER))
    changed = RuleSet(chains={**WANTED.chains, INPUT: ("-i br200 -j DROP",)}, jumps=WANTED.jumps)
    text = difference(kernel.tables, changed, owner=OWNER)
    assert text == f"*filter\n:{INPUT[1]} - [0:0]\n-A {INPUT[1]} -i br200 -j DROP\nCOMMIT\n"


def test_jumps_that_were_lost_or_doubled_are_there_once_again() -> None:
    kernel = Kernel()
    kernel.apply(difference(kernel.tables, WANTED, owner=OWNER))
    kernel.tables["filter"]["INPUT"] += [f"-j {OWNER}-INPUT"]
    kernel.tables["filter"]["FORWARD"].clear()
    kernel.apply(difference(kernel.tables, WANTED, owner=OWNER))
    assert kernel.tables["filter"]["INPUT"].count(f"-j {OWNER}-INPUT") == 1
    assert kernel.tables["filter"]["FORWARD"] == ["-j nova-filter-top"]
    assert difference(kernel.tables, WANTED, owner=OWNER) == ""


def test_removal_takes_all_of_ours_and_nothing_else(tmp_path: Path) -> None:
    kernel = Kernel()
    rules = iptables(kernel, tmp_path)
    rules.apply(WANTED)
    rules.remove()
    assert kernel.text() == Kernel().text().replace("FORWARD DROP [1:2]", "FORWARD - [0:0]")


def test_a_shared_chain_stays_while_another_daemon_uses_it(tmp_path: Path) -> None:
    kernel = Kernel()
    rules = iptables(kernel, tmp_path)
    rules.apply(WANTED)
    kernel.tables["filter"]["nova-filter-top"].append("-j nova-compute-local")
    rules.remove()
    assert kernel.tables["filter"]["nova-filter-top"] == ["-j nova-compute-local"]
    assert kernel.tables["filter"]["FORWARD"] == ["-j nova-filter-top"]


def test_chains_of_an_older_version_of_ours_go_away(tmp_path: Path) -> None:
    kernel = Kernel(
        f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:{OWNER}-old - [0:0]\n-A INPUT -j {OWNER}-old\nCOMMIT\n"
    )
    iptables(kernel, tmp_path).apply(WANTED)
    assert f"{OWNER}-old" not in kernel.text()


@pytest.mark.parametrize("rule", ["-j DROP\n-A INPUT -j ACCEPT", "", "-m comment --comment \x00", "-j DROP\r"])
def test_a_rule_that_could_become_two_is_refused(rule: str) -> None:
    with pytest.raises(errors.InternalError):
        difference({}, RuleSet(chains={INPUT: (rule,)}), owner=OWNER)


def test_the_standard_jumps_have_the_names_that_operators_know() -> None:
    rules = [f"{jump.chain[0]} {jump.chain[1]} {jump.rule}" for jump in standard_jumps(OWNER, nat=True)]
    assert "filter FORWARD -j nova-filter-top" in rules
    assert "nat PREROUTING -j nova-network-PREROUTING" in rules
    assert "nat nova-postrouting-bottom -j nova-network-snat" in rules
