# SPDX-License-Identifier: Apache-2.0
"""FlatDHCP for real: bridge, dnsmasq, packet filter and guests in namespaces of this machine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.cmd.dhcpbridge import Settings, write_own_file
from nova.db import networks
from tests.integration.network_cloud import BRIDGE, CONTEXT, Cloud
from tests.integration.network_lab import OUTSIDE_HOST, OUTSIDE_WORLD, NetworkLab, wait_until

pytestmark = [pytest.mark.root]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    lab = NetworkLab()
    try:
        made = Cloud(lab.start())
        made.create_network()
        made.service.start()
        yield made
        made.database.dispose()
    finally:
        lab.stop()


def test_guests_get_address_route_and_names_by_dhcp_and_reach_metadata_and_the_world(cloud: Cloud) -> None:
    lab = cloud.lab
    _, one = cloud.allocate("alpha")
    _, two = cloud.allocate("beta")
    lab.serve_http(lab.host, OUTSIDE_HOST, 8775, "metadata")
    lab.serve_http(lab.world, OUTSIDE_WORLD, 8000, "world")
    lab.serve_http(lab.host, "0.0.0.0", 8774, "api")
    alpha, beta = lab.guest(BRIDGE, one.mac_address), lab.guest(BRIDGE, two.mac_address)

    lease = alpha.dhcp()
    assert lease["ip"] == one.addresses[0].address == "10.20.0.2"
    assert (lease["router"], lease["dns"], lease["domain"]) == ("10.20.0.1", "10.20.0.1", "novalocal")
    assert (lease["hostname"], lease["lease"], lease["mtu"].strip()) == ("alpha", "3600", "1400")
    assert beta.dhcp()["ip"] == "10.20.0.3"
    wait_until(lambda: cloud.fixed_ip("10.20.0.2").leased and cloud.fixed_ip("10.20.0.3").leased, why="leases recorded")

    assert alpha.run("busybox", "ping", "-c", "1", "-W", "2", "10.20.0.3").returncode == 0
    assert "10.20.0.3" in alpha.run("busybox", "nslookup", "beta.novalocal", "10.20.0.1").stdout
    assert alpha.get("http://169.254.169.254/latest/") == "metadata for 10.20.0.2"
    assert alpha.get(f"http://{OUTSIDE_WORLD}:8000/") == f"world for {OUTSIDE_HOST}"
    assert not alpha.reaches("10.20.0.1", 8774)
    assert not alpha.reaches(OUTSIDE_HOST, 8774)
    assert not alpha.reaches("10.20.0.1", 8775)


def test_strangers_get_no_address_and_outsiders_no_name_service(cloud: Cloud) -> None:
    stranger = cloud.lab.guest(BRIDGE, "02:00:00:00:00:99")
    assert stranger.dhcp(tries=2) == {}
    cloud.lab.ip(cloud.lab.world, "route", "add", "10.20.0.0/24", "via", OUTSIDE_HOST)
    answer = cloud.lab.run(cloud.lab.world, "timeout", "2", "busybox", "nslookup", "a.novalocal", "10.20.0.1")
    assert answer.returncode != 0


def test_a_released_address_is_free_once_its_lease_was_taken_back_and_goes_to_another_guest(cloud: Cloud) -> None:
    instance, nic = cloud.allocate("alpha")
    cloud.lab.guest(BRIDGE, nic.mac_address).dhcp()
    wait_until(lambda: cloud.fixed_ip("10.20.0.2").leased, why="lease recorded")

    cloud.service.release(CONTEXT, instance_uuid=instance)
    free = wait_until(lambda: not (row := cloud.fixed_ip("10.20.0.2")).instance_uuid and row, why="address free")
    assert not free.leased
    assert not free.allocated
    with cloud.database.transaction() as tx:
        tx.execute(networks.NETWORKS.update().values(next_fixed=255))
    _, again = cloud.allocate("gamma")
    assert again.addresses[0].address == "10.20.0.2"
    assert cloud.lab.guest(BRIDGE, again.mac_address).dhcp()["ip"] == "10.20.0.2"


def test_new_cards_need_no_reload_so_no_lease_is_reported_again(cloud: Cloud) -> None:
    _, first = cloud.allocate("alpha")
    cloud.lab.guest(BRIDGE, first.mac_address).dhcp()
    wait_until(lambda: any(line.startswith("add") for line in cloud.lab.lease_events()), why="a lease event")
    before = len(cloud.lab.lease_events())
    _, second = cloud.allocate("beta")
    assert cloud.lab.guest(BRIDGE, second.mac_address).dhcp()["ip"] == "10.20.0.3"
    wait_until(lambda: len(cloud.lab.lease_events()) > before, why="the second lease's event")
    assert [line.split()[0] for line in cloud.lab.lease_events()[before:]].count("old") <= 1
    assert not any("-HUP" in command for command in cloud.lab.runner.commands)


def test_a_restarted_service_keeps_dnsmasq_and_its_leases(cloud: Cloud) -> None:
    _, nic = cloud.allocate("alpha")
    guest = cloud.lab.guest(BRIDGE, nic.mac_address)
    guest.dhcp()
    before = cloud.dnsmasq()
    rules = cloud.lab.run(cloud.lab.host, "iptables-save").stdout
    cloud.lab.runner.commands.clear()

    cloud.service = cloud.new_service()
    cloud.service.start()
    assert cloud.dnsmasq() == before
    assert not any(command[0].endswith("-restore") for command in cloud.lab.runner.commands)
    assert cloud.lab.run(cloud.lab.host, "iptables-save").stdout.count("\n") == rules.count("\n")
    assert guest.dhcp()["ip"] == "10.20.0.2"


def test_a_killed_dnsmasq_is_started_again_and_knows_the_leases(cloud: Cloud) -> None:
    _, nic = cloud.allocate("alpha")
    guest = cloud.lab.guest(BRIDGE, nic.mac_address)
    guest.dhcp()
    wait_until(lambda: cloud.fixed_ip("10.20.0.2").leased, why="lease recorded")
    old = cloud.dnsmasq()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not cloud.dnsmasq(), why="dnsmasq gone")

    cloud.service.check_dhcp()
    wait_until(lambda: len(cloud.dnsmasq()) == 2, why="a dnsmasq and its helper, none of which calls the lease program")
    assert not set(old) & set(cloud.dnsmasq())
    wait_until(
        lambda: f"old {nic.mac_address} 10.20.0.2" in cloud.lab.lease_events(), why="the lease was read at start"
    )
    assert guest.dhcp()["ip"] == "10.20.0.2"


def test_dnsmasq_serves_unprivileged_and_renews_leases_while_the_database_is_away(cloud: Cloud) -> None:
    _, nic = cloud.allocate("alpha")
    guest = cloud.lab.guest(BRIDGE, nic.mac_address)
    guest.dhcp()
    wait_until(lambda: cloud.fixed_ip("10.20.0.2").leased, why="lease recorded")
    server = int((cloud.files / "nova-br100.pid").read_text())
    assert Path(f"/proc/{server}").stat().st_uid != 0
    own = cloud.files / "dhcpbridge.conf"
    write_own_file(cloud.files, Settings("sqlite:////nonexistent/nova.sqlite", 3600))
    assert own.exists()
    for pid in cloud.dnsmasq():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not cloud.dnsmasq(), why="dnsmasq gone")
    cloud.service.check_dhcp()
    assert guest.dhcp()["ip"] == "10.20.0.2"


def test_flushed_rules_and_a_lost_bridge_come_back(cloud: Cloud) -> None:
    lab = cloud.lab
    before = _without_comments(lab.run(lab.host, "iptables-save").stdout)
    for table in ("filter", "nat"):
        lab.run(lab.host, "iptables", "-t", table, "-F")
    lab.ip(lab.host, "link", "del", BRIDGE)
    cloud.service.periodic()
    assert _without_comments(lab.run(lab.host, "iptables-save").stdout) == before
    assert "10.20.0.1/24" in lab.run(lab.host, "ip", "addr", "show", BRIDGE).stdout
    _, nic = cloud.allocate("alpha")
    cloud.service.check_dhcp()
    assert lab.guest(BRIDGE, nic.mac_address).dhcp()["ip"] == "10.20.0.2"


def test_rules_of_others_are_left_alone_and_everything_of_ours_goes_at_the_end(cloud: Cloud) -> None:
    lab = cloud.lab
    cloud.allocate("alpha")
    lab.run(lab.host, "iptables", "-A", "INPUT", "-s", "203.0.113.7/32", "-j", "DROP")
    lab.run(lab.host, "iptables", "-N", "nova-compute-local")
    lab.run(lab.host, "iptables", "-A", "nova-filter-top", "-j", "nova-compute-local")
    cloud.service.look_again()
    cloud.service.remove_all()
    left = lab.run(lab.host, "iptables-save").stdout
    assert "nova-network" not in left
    assert "-A INPUT -s 203.0.113.7/32 -j DROP" in left
    assert "-A nova-filter-top -j nova-compute-local" in left
    assert cloud.dnsmasq() == []
    links = json.loads(lab.run(lab.host, "ip", "-j", "addr").stdout)
    assert {link["ifname"] for link in links} == {"lo", "ext0"}
    assert [a["local"] for link in links for a in link["addr_info"] if a["local"].startswith("169.254")] == []
    assert [path.name for path in cloud.files.iterdir()] == ["dhcpbridge.conf"]


def test_the_host_takes_no_ipv6_address_on_a_bridge_of_ipv4_networks(cloud: Cloud) -> None:
    lab = cloud.lab
    assert lab.run(lab.host, "sysctl", "-n", f"net.ipv6.conf.{BRIDGE}.disable_ipv6").stdout.strip() == "1"
    assert "inet6" not in lab.run(lab.host, "ip", "addr", "show", BRIDGE).stdout


def _without_comments(saved: str) -> list[str]:
    return sorted(line for line in saved.splitlines() if not line.startswith(("#", ":")))
