# SPDX-License-Identifier: Apache-2.0
"""When a request was signed, and whether that is near enough to now: a captured request is soon worth nothing."""

from __future__ import annotations

import datetime
import re

from nova.api.ec2.faults import Ec2Refusal

_EXTENDED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_BASIC = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


def parse_extended(text: str) -> datetime.datetime:
    """``2011-11-11T11:11:11Z``, perhaps with a fraction (naive UTC)."""
    return _parse(text, _EXTENDED, "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ")


def parse_basic(text: str) -> datetime.datetime:
    """``20111111T111111Z`` (naive UTC)."""
    return _parse(text, _BASIC, "%Y%m%dT%H%M%SZ")


def check_signed_at(moment: datetime.datetime, now: datetime.datetime, *, window_s: float) -> None:
    """Refuse a time more than *window_s* seconds in the past or in the future."""
    if abs((now - moment).total_seconds()) > window_s:
        raise expired()


def check_expires_at(moment: datetime.datetime, now: datetime.datetime, *, window_s: float) -> None:
    """Refuse an end that has passed, or one so far away that whoever captures the request has long use of it."""
    if not 0 <= (moment - now).total_seconds() <= window_s:
        raise expired()


def expired() -> Ec2Refusal:
    """The refusal; it tells nothing that the sender does not know."""
    return Ec2Refusal("RequestExpired", "The time of the request is missing, wrong, or too far from now.", status=403)


def _parse(text: str, form: re.Pattern[str], layout: str) -> datetime.datetime:
    if not form.fullmatch(text):
        raise expired()
    try:
        return datetime.datetime.strptime(text, layout)  # noqa: DTZ007 - all times of the project are naive UTC
    except ValueError:
        raise expired() from None
