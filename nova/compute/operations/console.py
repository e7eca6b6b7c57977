# SPDX-License-Identifier: Apache-2.0
"""Console output: the end of what a guest wrote to its serial console.  Runs in nova-compute on the server's host."""

from __future__ import annotations

from nova.virt.driver import Console

MOST_BYTES = 1024 * 1024
"""However much is asked for: what fits comfortably into one message"""


def get_console_output(driver: Console, *, name: str, max_bytes: int) -> bytes:
    """At most *max_bytes* bytes; NotFound when the guest *name* has no console log."""
    return driver.console_output(name, max_bytes=max(0, min(max_bytes, MOST_BYTES)))
