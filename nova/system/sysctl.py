# SPDX-License-Identifier: Apache-2.0
"""Kernel switches of this host.  Runs in the daemons that touch networks."""

from __future__ import annotations

from collections.abc import Mapping

from nova.system.commands import CommandRunner


def set_all(runner: CommandRunner, values: Mapping[str, str]) -> None:
    """Set switches (``net.ipv4.ip_forward``) in one command; one that the kernel lacks is passed over.

    :raises errors.HypervisorError: the kernel refused a value
    """
    if values:
        pairs = [f"{name}={value}" for name, value in values.items()]
        runner.run(["sysctl", "-q", "-e", "-w", *pairs], as_root=True)


def ipv6_off(device: str) -> dict[str, str]:
    """The switches that keep the host itself off IPv6 on *device*."""
    name = device.replace(".", "/")
    return {f"net.ipv6.conf.{name}.accept_ra": "0", f"net.ipv6.conf.{name}.disable_ipv6": "1"}
