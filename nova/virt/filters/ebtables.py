# SPDX-License-Identifier: Apache-2.0
"""ebtables rules of one owner, declared and applied by difference like those of iptables, in one restore.

Runs in nova-compute.  Needs ebtables on nf_tables, whose restore can leave other chains alone; the older one has no
such mode and is refused.
"""

from __future__ import annotations

import logging
from pathlib import Path

from nova.system.commands import CommandRunner
from nova.system.files import file_lock
from nova.system.iptables import RuleSet, Saved, difference, parse

LOG = logging.getLogger(__name__)


class Ebtables:
    """The frame filters of *owner* on this host."""

    def __init__(self, runner: CommandRunner, *, owner: str, lock_path: Path) -> None:
        self._runner = runner
        self._owner = owner
        self._lock_path = lock_path
        self._applied: RuleSet | None = None

    def saved(self) -> Saved:
        """What is in the kernel now."""
        return parse(self._runner.run(["ebtables-save"], as_root=True).text)

    def apply(self, wanted: RuleSet) -> bool:
        """Make the tables hold *wanted* and no other rule of this owner; whether something had to be changed.

        :raises errors.HypervisorError: ebtables refused; the rules are as before
        """
        if wanted == self._applied:
            return False
        with file_lock(self._lock_path):
            changes = difference(self.saved(), wanted, owner=self._owner)
            if changes:
                LOG.debug("Changing frame filter rules:\n%s", changes)
                # Its chains have a policy instead of counters, and its tables end without a word.
                text = changes.replace(" - [0:0]\n", " RETURN\n").replace("COMMIT\n", "")
                self._runner.run(["ebtables-restore", "--noflush"], stdin=text.encode(), as_root=True)
        self._applied = wanted
        return bool(changes)

    def look_again(self) -> None:
        """Compare with the kernel at the next ``apply``."""
        self._applied = None
