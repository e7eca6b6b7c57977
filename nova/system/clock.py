# SPDX-License-Identifier: Apache-2.0
"""The time, as rows, journals and messages hold it.  Passed in as a function, so that tests can hand over another."""

from __future__ import annotations

import datetime


def utc_now() -> datetime.datetime:
    """Now, as a naive time in UTC."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
