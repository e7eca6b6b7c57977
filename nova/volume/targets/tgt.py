# SPDX-License-Identifier: Apache-2.0
"""Exports through tgtd: one target for each volume, for one initiator that knows the attachment's CHAP secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nova import errors
from nova.volume.targets.tgtd import Code, Mode, Op, Request, targets_in

Send = Callable[[Request], str]
"""Sends one request to tgtd, with the rights that it takes."""

LUN = 1


class TgtTarget:
    """The implementation of :class:`nova.volume.drivers.base.Target`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def export(self, *, number: int, iqn: str, path: Path, initiator: str, username: str, password: str) -> None:
        """Make the target; one of that number that is half made or another volume's is a leftover, and goes."""
        listing = self._listing()
        there = targets_in(listing).get(number)
        if there == iqn and _is_protected(listing, number, initiator=initiator, username=username):
            return
        if there is not None:
            self.withdraw(number=number, iqn=there)
        account = f"user={username}"
        for request in (
            Request(mode=Mode.ACCOUNT, op=Op.DELETE, words=account, accepted=(Code.NO_ACCOUNT,)),
            Request(mode=Mode.ACCOUNT, op=Op.NEW, words=f"{account},password={password}"),
            Request(mode=Mode.TARGET, op=Op.NEW, target=number, words=f"targetname={iqn}"),
            Request(mode=Mode.ACCOUNT, op=Op.BIND, target=number, words=account),
            Request(mode=Mode.UNIT, op=Op.NEW, target=number, lun=LUN, words=f"path={path}"),
            Request(mode=Mode.TARGET, op=Op.BIND, target=number, words=f"initiator-name={initiator}"),
        ):
            self._send(request)
        if not _is_protected(self._listing(), number, initiator=initiator, username=username):
            self.withdraw(number=number, iqn=iqn)
            raise errors.HypervisorError(
                "The iSCSI target daemon did not protect the export as asked; it was withdrawn.",
                detail=f"target {number}",
            )

    def withdraw(self, *, number: int, iqn: str) -> None:
        """Remove the target, with the connections to it."""
        listing = self._listing()
        if targets_in(listing).get(number) != iqn:
            return
        accounts = _section(listing, number, "Account information:")
        self._send(Request(mode=Mode.TARGET, op=Op.DELETE, target=number, force=True, accepted=(Code.NO_TARGET,)))
        for account in accounts:
            self._send(Request(mode=Mode.ACCOUNT, op=Op.DELETE, words=f"user={account}", accepted=(Code.NO_ACCOUNT,)))

    def targets(self) -> dict[int, str]:
        """See the protocol."""
        return targets_in(self._listing())

    def _listing(self) -> str:
        return self._send(Request(mode=Mode.TARGET, op=Op.SHOW))


def _is_protected(listing: str, number: int, *, initiator: str, username: str) -> bool:
    """Whether the target is there in full: with its disk, its secret and its access list."""
    accounts = _section(listing, number, "Account information:")
    allowed = _section(listing, number, "ACL information:")
    units = _section(listing, number, "LUN information:")
    return accounts == [username] and allowed == [initiator] and units.count("LUN:") == 2


def _section(listing: str, number: int, title: str) -> list[str]:
    """The words below *title* in the listing of one target."""
    words: list[str] = []
    inside_target = inside_section = False
    for line in listing.splitlines():
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            inside_target = line.startswith(f"Target {number}:")
            inside_section = False
        elif depth == 4:
            inside_section = inside_target and line.strip() == title
        elif inside_section:
            words.append(line.split()[0])
    return words
