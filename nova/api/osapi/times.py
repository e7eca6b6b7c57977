# SPDX-License-Identifier: Apache-2.0
"""Times as the API writes and reads them; inside they are naive UTC."""

from __future__ import annotations

import datetime

from nova.errors import InvalidInput


def zulu(moment: datetime.datetime | None) -> str | None:
    """``2013-04-04T10:00:00Z``: servers, images, faults."""
    return None if moment is None else moment.isoformat(timespec="seconds") + "Z"


def plain(moment: datetime.datetime | None) -> str | None:
    """``2013-04-04T10:00:00.000000``: everything else."""
    return None if moment is None else moment.isoformat(timespec="microseconds")


def parse(text: str, *, field: str) -> datetime.datetime:
    """The time that ISO 8601 *text* says; InvalidInput for any other text."""
    try:
        moment = datetime.datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise InvalidInput(f"Invalid input for {field}: it is not an ISO 8601 time.", field=field) from None
    return moment
