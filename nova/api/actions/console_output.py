# SPDX-License-Identifier: Apache-2.0
"""Read what a server's guest wrote to its serial console.  Waits for the host, so it holds no transaction."""

from __future__ import annotations

from nova.api.actions import servers
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.errors import InvalidState

RULE = PREFIX + "os-console-output"


def console_output(cloud: Cloud, context: RequestContext, uuid: str, *, lines: int | None) -> str:
    """The text, without bytes that a terminal would obey or JSON cannot hold; the last *lines* of it, or all.

    Raises as :func:`console_bytes`.
    """
    return last_lines(printable(console_bytes(cloud, context, uuid)), lines)


def console_bytes(cloud: Cloud, context: RequestContext, uuid: str) -> bytes:
    """What the guest wrote, as it wrote it, for an answer that encodes it.

    InvalidState while the server is on no host; NotFound when it has no console.
    """
    with cloud.db.transaction(write=False) as tx:
        instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, RULE, instance)
    if not instance.host:
        raise InvalidState(f"Instance {uuid} is not ready: it is on no host yet.")
    return cloud.compute.on(instance.host).get_console_output(
        context, instance_uuid=uuid, name=instance.name, max_bytes=cloud.settings.console_max_bytes
    )


def printable(raw: bytes) -> str:
    """Text in which of the control characters only line breaks, tabs and escape sequences are left."""
    text = raw.decode("utf-8", errors="replace")
    return "".join(character for character in text if character >= " " or character in "\n\t\r\x1b")


def last_lines(text: str, lines: int | None) -> str:
    """The last *lines* lines; all of them for None and negative numbers."""
    if lines is None or lines < 0:
        return text
    return "\n".join(text.splitlines()[-lines:]) if lines else ""
