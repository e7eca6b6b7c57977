# SPDX-License-Identifier: Apache-2.0
"""dnsmasq as a process: its command line, its lines, and finding, starting, telling and ending it.

It outlives nova-network: one that runs with the wanted command line is adopted.  Everything that goes into its files is
from a strict alphabet, whatever the database holds.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

from nova import errors
from nova.domain.network import DhcpHost, Network
from nova.network.settings import DhcpSettings
from nova.network.topology import GuestBridge
from nova.system.commands import CommandRunner

LOG = logging.getLogger(__name__)

NO_ROUTER = "norouter"
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_END_WAIT_S = 5.0
_END_POLL_S = 0.02


def host_line(host: DhcpHost, *, domain: str, single_gateway: bool) -> str:
    """The line of the hosts file for one card.

    :raises errors.InvalidInput: its MAC or IP address is none
    """
    mac = host.mac_address.lower()
    if not _MAC.fullmatch(mac):
        raise errors.InvalidInput("A network card has a malformed MAC address.", detail=repr(host.mac_address[:40]))
    try:
        address = ipaddress.IPv4Address(host.address)
    except ValueError as exc:
        raise errors.InvalidInput("A network card has a malformed address.", detail=repr(host.address[:40])) from exc
    name = host.hostname.lower()
    if not _LABEL.fullmatch(name):
        name = f"host-{str(address).replace('.', '-')}"
    tag = f"set:{NO_ROUTER}," if single_gateway and not host.first else ""
    return f"{mac},{tag}{name}.{domain},{address}"


class Dnsmasq:
    """The dnsmasq of one bridge."""

    def __init__(self, runner: CommandRunner, settings: DhcpSettings, bridge: GuestBridge) -> None:
        if not _DOMAIN.fullmatch(settings.domain):
            raise errors.InvalidConfiguration("The option dhcp_domain is not a domain name.")
        self._runner = runner
        self._settings = settings
        stem = str(settings.directory / f"nova-{bridge.name}")
        self.hosts_file = Path(f"{stem}.conf")
        self.added = Path(f"{stem}.added")
        """Files in here are read by dnsmasq as they appear"""
        self.pid_file = Path(f"{stem}.pid")
        self._environment = _environment(settings, bridge)
        self._argv = list(self._command_line(bridge))

    def running(self) -> int | None:
        """The process that serves with exactly the wanted command line, or None."""
        try:
            pid = int(self.pid_file.read_text().strip())
        except (OSError, ValueError):
            return None
        return pid if _command_line(pid) == self._argv else None

    def start(self) -> None:
        """Start it, in place of any that serves the same bridge otherwise.

        :raises errors.HypervisorError: it does not start; its own words are in the detail
        """
        self.stop()
        self._runner.run(["env", *self._environment, *self._argv], as_root=True)
        LOG.info("Started dnsmasq for %s", self.hosts_file.stem)

    def reload(self, pid: int) -> None:
        """Let it read its files again."""
        self._signal(pid, "-HUP")

    def stop(self) -> None:
        """End every dnsmasq that uses our pid file, and wait until it is gone."""
        for signal in ("-TERM", "-9"):
            deadline = time.monotonic() + _END_WAIT_S
            mine = self._processes()
            for pid in mine:
                self._signal(pid, signal)
            while mine and time.monotonic() < deadline:
                time.sleep(_END_POLL_S)
                mine = self._processes()
            if not mine:
                return
        raise errors.HypervisorError("An old DHCP server does not end.", detail=str(self.pid_file))

    def _signal(self, pid: int, signal: str) -> None:
        """One that has just ended by itself is no failure; the privilege gate refuses to signal what is no dnsmasq."""
        try:
            self._runner.run(["kill", signal, str(pid)], as_root=True, ok_codes=(0, 1))
        except errors.HypervisorError:
            if pid in self._processes():
                raise

    def _processes(self) -> list[int]:
        mark = f"--pid-file={self.pid_file}"
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in numbers if (line := _command_line(pid)) and line[0] == "dnsmasq" and mark in line]

    def _command_line(self, bridge: GuestBridge) -> Iterator[str]:
        settings = self._settings
        yield from ("dnsmasq", "--strict-order", "--bind-interfaces", f"--conf-file={settings.extra_config_file}")
        yield from (f"--domain={settings.domain}", f"--pid-file={self.pid_file}")
        serving = [network for network in bridge.networks if network.dhcp_server and network.cidr]
        yield from (f"--listen-address={ipaddress.IPv4Address(network.dhcp_server)}" for network in serving)
        yield "--except-interface=lo"
        yield from (self._range(network) for network in serving)
        size = sum(ipaddress.IPv4Network(network.cidr).num_addresses for network in serving)
        yield from (f"--dhcp-lease-max={size}", f"--dhcp-hostsfile={self.hosts_file}")
        yield from (f"--dhcp-hostsdir={self.added}", f"--dhcp-script={settings.dhcpbridge}", "--leasefile-ro")
        yield from ("--dhcp-authoritative", "--dhcp-ignore=tag:!known", "--no-ping", "--no-hosts")
        yield from self._name_servers(serving)
        yield f"--dhcp-option=tag:{NO_ROUTER},option:router"
        for network in serving:
            yield from _options(network)
        if settings.script_user:
            yield f"--dhcp-scriptuser={settings.script_user}"

    def _range(self, network: Network) -> str:
        start, mask = ipaddress.IPv4Address(network.dhcp_start), ipaddress.IPv4Network(network.cidr).netmask
        return f"--dhcp-range=set:net{network.id},{start},static,{mask},{self._settings.lease_time_s}s"

    def _name_servers(self, networks: list[Network]) -> Iterator[str]:
        servers = list(self._settings.dns_servers)
        if self._settings.use_network_dns_servers:
            servers += [server for network in networks for server in (network.dns1, network.dns2) if server]
        if servers:
            yield "--no-resolv"
            yield from (f"--server={ipaddress.ip_address(server)}" for server in dict.fromkeys(servers))


def _options(network: Network) -> Iterator[str]:
    if network.gateway and network.gateway != network.dhcp_server:
        gateway = ipaddress.IPv4Address(network.gateway)
        yield f"--dhcp-option=tag:net{network.id},tag:!{NO_ROUTER},option:router,{gateway}"
    if network.mtu:
        yield f"--dhcp-option-force=tag:net{network.id},option:mtu,{network.mtu}"


def _environment(settings: DhcpSettings, bridge: GuestBridge) -> list[str]:
    """What dnsmasq hands on to the lease program."""
    networks = ",".join(str(network.id) for network in bridge.networks)
    return [f"CONFIG_FILE={','.join(settings.config_files)}", f"NETWORK_ID={networks}"]


def _command_line(pid: int) -> list[str] | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    return [word.decode(errors="replace") for word in words[:-1]]
