# SPDX-License-Identifier: Apache-2.0
"""The QEMU guest agent of a guest: whether it answers, and the password that it sets.  Runs in nova-compute.

The password goes over libvirt's socket to the agent's channel: it is in no command line, file or log.
"""

from __future__ import annotations

from typing import Any

import libvirt
import libvirt_qemu

from nova import errors
from nova.domain.guest_hardware import image_properties
from nova.domain.instance import Instance
from nova.secret import Secret
from nova.system import xml
from nova.virt.libvirt.connection import Connection

PING = '{"execute": "guest-ping"}'
ANSWER_S = 5
CHANNEL = "org.qemu.guest_agent.0"
SILENT = frozenset({libvirt.VIR_ERR_AGENT_UNRESPONSIVE, libvirt.VIR_ERR_AGENT_UNSYNCED})


def check(connection: Connection, instance: Instance) -> None:
    """See :meth:`nova.virt.driver.Inside.check_agent`."""
    _ask(connection, instance, lambda domain: libvirt_qemu.qemuAgentCommand(domain, PING, ANSWER_S, 0))


def set_password(connection: Connection, instance: Instance, password: Secret) -> None:
    """Set the password of root, or of whom the image names in ``os_admin_user``."""
    user = admin_of(instance)
    _ask(connection, instance, lambda domain: domain.setUserPassword(user, password.reveal(), 0))


def admin_of(instance: Instance) -> str:
    """The name of the guest's administrator."""
    properties = image_properties(instance)
    usual = "Administrator" if properties.get("os_type") == "windows" else "root"
    return properties.get("os_admin_user") or usual


def _ask(connection: Connection, instance: Instance, ask: Any) -> None:
    def with_domain(domain: Any) -> str:
        if not _has_channel(domain):
            raise errors.NotSupported("The server has no channel for a guest agent (hw_qemu_guest_agent).")
        if not domain.isActive():
            return "is off"
        try:
            ask(domain)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() in SILENT:
                return "has no agent that answers"
            raise
        return ""

    why = connection.find(instance.uuid, "ask the server's guest agent", with_domain)
    if why is None:
        raise errors.NotFound.of("server", instance.uuid)
    if why:
        raise errors.InvalidState(f"The guest of server {instance.uuid} {why}.")


def _has_channel(domain: Any) -> bool:
    root = xml.parse(domain.XMLDesc(0), what="domain's XML")
    return any(target.get("name") == CHANNEL for target in root.iterfind("devices/channel/target"))
