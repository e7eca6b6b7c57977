# SPDX-License-Identifier: Apache-2.0
"""Microversions of the compute API: how they are written, asked for and answered.  Runs in nova-api."""

from __future__ import annotations

import re
from typing import NamedTuple

from nova.api.refusal import Refusal

SERVICE = "compute"
HEADER = "OpenStack-API-Version"
OLD_HEADER = "X-OpenStack-Nova-API-Version"
_FORM = re.compile(r"([1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,3})", re.ASCII)


class Microversion(NamedTuple):
    """``major.minor``; compares as one expects."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


LOWEST = Microversion(2, 1)
HIGHEST = Microversion(2, 35)
"""2.36 takes the network API of this cloud away."""


def v(minor: int) -> Microversion:
    """The microversion 2.*minor*."""
    return Microversion(2, minor)


def asked_for(new_header: str, old_header: str) -> Microversion:
    """The version that the two request headers ask for; the newer header wins, and its last item for this service.

    Refusal 400 for text that is no version, 406 (which carries the version asked for) outside of what is served.
    """
    text = _for_this_service(new_header) or old_header.rpartition(",")[2].strip()
    if not text:
        return LOWEST
    if text.lower() == "latest":
        return HIGHEST
    match = _FORM.fullmatch(text)
    if match is None:
        raise Refusal(400, "A microversion is written as major.minor, for example 2.1, or as latest.")
    version = Microversion(int(match.group(1)), int(match.group(2)))
    if not LOWEST <= version <= HIGHEST:
        raise Refusal(
            406, f"Version {version} is not served here. Lowest: {LOWEST}, highest: {HIGHEST}.", version=str(version)
        )
    return version


def _for_this_service(header: str) -> str:
    found = ""
    for item in header.split(","):
        service, _, version = item.strip().partition(" ")
        if service.lower() == SERVICE:
            found = version.strip()
    return found


def answer_headers(version: str) -> list[tuple[str, str]]:
    """The headers that echo the version that was used."""
    return [(HEADER, f"{SERVICE} {version}"), (OLD_HEADER, version), ("Vary", f"{HEADER}, {OLD_HEADER}")]
