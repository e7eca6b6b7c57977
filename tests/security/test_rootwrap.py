# SPDX-License-Identifier: Apache-2.0
"""The shipped filters against who has become the daemons' user and wants to be root."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from nova import errors
from nova.system.rootwrap import Gate

SHIPPED = Path(__file__).parents[2] / "etc" / "nova" / "rootwrap.d"
DNSMASQ = "env CONFIG_FILE=/etc/nova/nova.conf NETWORK_ID=3 dnsmasq"
WIDE = ("chown", "chmod", "cat", "sh", "bash", "cp", "mv", "mount", "ln", "rm", "python3", "touch", "mkdir", "tgtadm")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    directory = tmp_path / "rootwrap.d"
    shutil.copytree(SHIPPED, directory)
    for path in (directory, *directory.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    conf = tmp_path / "rootwrap.conf"
    conf.write_text(
        f"[DEFAULT]\nfilters_path={directory}\nexec_dirs=/sbin,/usr/sbin,/bin,/usr/bin\nstate_path={tmp_path}\n"
    )
    conf.chmod(0o644)
    return Gate(conf)


def refused(gate: Gate, *words: str) -> bool:
    """Whether the gate stays shut; a program that is not installed passed it."""
    try:
        gate.permit(words)
    except errors.HypervisorError as exc:
        return bool(exc.data["code"] == 99)
    return False


@pytest.mark.parametrize("program", WIDE)
def test_programs_that_do_anything_are_not_there(gate: Gate, program: str) -> None:
    """CVE-2013-1068"""
    for argument in ("/etc/shadow", "-c", "--version", "x"):
        assert refused(gate, program, argument)


@pytest.mark.parametrize(
    "words",
    [
        "--dhcp-scrip=/tmp/x",
        "--dhcp-lua=/tmp/x",
        "--dhcp-lu=/tmp/x",
        "--log-f=/etc/cron.d/x",
        "--log-fac=/etc/cron.d/x",
        "--conf=/tmp/x",
        "--con=/tmp/x",
        "--tftp-r=/",
        "--dumpf=/etc/passwd",
        "--us=root",
        "--pid-file=/etc/passwd",
        "--pid-f=/etc/passwd",
        "--dhcp-leasefile=/etc/cron.d/x",
        "--dhcp-leasef=/etc/cron.d/x",
        "--dhcp-hostsfile=/etc/shadow",
        "--addn-hosts=/etc/shadow",
        "--resolv-file=/etc/shadow",
        "--servers-f=/etc/shadow",
        "--dhcp-optsfile=/etc/shadow",
        "--enable-tftp",
        "--dhcp-script=/usr/bin/nova-dhcpbridge --dhcp-scriptuser=root",
        "--no-hosts /tmp/x",
    ],
)
def test_beginnings_of_options_do_not_pass_for_other_options(gate: Gate, words: str) -> None:
    """CVE-2013-1068: getopt takes any unique beginning of a long option for the option"""
    assert refused(gate, *DNSMASQ.split(), "--strict-order", *words.split())


@pytest.mark.parametrize(
    "files",
    [
        "/etc/nova/../../tmp/x.conf",
        "/etc/nova/nova.conf,/etc/nova/../../tmp/x.conf",
        "/etc/nova/nova.conf,/tmp/x.conf",
        "/etc/nova/conf.d/..",
        "{state}/networks/x.conf",
        "{state}/networks/dhcpbridge.conf/../../x.conf",
    ],
)
def test_the_lease_program_reads_no_configuration_from_elsewhere(gate: Gate, tmp_path: Path, files: str) -> None:
    """CVE-2013-1068: dnsmasq runs it as root where nova-network is root"""
    words = f"env CONFIG_FILE={files.format(state=tmp_path)} NETWORK_ID=3 dnsmasq --strict-order"
    assert refused(gate, *words.split())


def test_the_lease_program_reads_the_configuration_of_nova_network(gate: Gate, tmp_path: Path) -> None:
    files = f"{tmp_path}/networks/dhcpbridge.conf,/etc/nova/nova.conf,/etc/nova/conf.d/10-network.conf"
    assert not refused(gate, *f"env CONFIG_FILE={files} NETWORK_ID=3,4 dnsmasq --strict-order".split())


@pytest.mark.parametrize(
    "line",
    [
        "ebtables --modprob=x -L",
        "ebtables --m=x -L",
        "ebtables -LM x",
        "ebtables --atomi x -L",
        "ip link set dev tap0 xdp object x.o",
        "ip link set dev tap0 xdpgeneric object x.o",
        "ip route add 10.0.0.0/8 encap bpf in obj x.o dev tap0",
        "dd if=/dev/zero of=/dev/../vmlinuz bs=1M",
        "dd if=/dev/../etc of=/dev/vg/volume-1 bs=1M",
        "blkdiscard /dev/../sda",
        "lvremove -f ../sda",
        "lvextend -nr x vg/volume-1",
        "lvextend --resizef vg/volume-1",
        "lvcreate --config=global{x} -n x vg",
        "iscsiadm -m node -T ../../../etc/x -p 127.0.0.1:3260,1 -o new",
        "iscsiadm -m node -T iqn.x -p 127.0.0.1 -n /etc/shadow",
        "sysctl -w net.core/../../kernel/core_pattern=1",
        "sysctl -w net.//.kernel.yama.ptrace_scope=0",
        "sysctl -q -e -w net.ipv4.ip_forward=1 net.//.fs.protected_symlinks=0",
        "sysctl --load=/tmp/x",
        "sysctl -p /tmp/x",
    ],
)
def test_arguments_do_not_leave_the_place_they_are_meant_for(gate: Gate, line: str) -> None:
    """CVE-2013-1068"""
    assert refused(gate, *line.split())


@pytest.mark.parametrize(
    "line",
    [
        "iscsiadm -m node -T iqn.2010-10.org.example:volume-1 -p [2001:db8::1]:3260,1 -o new",
        "iscsiadm -m node -T iqn.2010-10.org.example:volume-1 -p 192.0.2.1:3260,1 --login",
        "dd if=/dev/urandom of=/dev/nova-volumes/volume-1 bs=1M count=1 oflag=direct conv=fdatasync",
        "lvs --noheadings -o lv_name nova-volumes/volume-1",
        "ebtables -t nat -L",
        "ip link set br100 master br101",
        "sysctl -w net.ipv6.conf.eth0/100.accept_ra=0",
        "sysctl -n net.ipv4.ip_forward",
    ],
)
def test_what_the_daemons_do_still_passes(gate: Gate, line: str) -> None:
    assert not refused(gate, *line.split())


def test_path_arguments_are_resolved_before_they_are_compared(gate: Gate, tmp_path: Path) -> None:
    instances = tmp_path / "instances"
    (instances / "i1").mkdir(parents=True)
    (instances / "i1" / "console.log").write_text("")
    (instances / "link").symlink_to("/etc")
    assert not refused(gate, "tail", "-c", "10", f"{instances}/i1/console.log")
    for path in (f"{instances}/../../etc/shadow", f"{instances}/link/shadow", f"{instances}x/y", "/etc/shadow"):
        assert refused(gate, "tail", "-c", "10", path)


def test_no_filter_lets_any_argument_pass() -> None:
    """CVE-2013-1068: a CommandFilter looks at the program only"""
    loose = re.compile(r"^\s*\w[\w.-]*\s*:\s*(CommandFilter|EnvFilter|IpFilter|ChainingRegExpFilter)\b", re.MULTILINE)
    found = {path.name: loose.findall(path.read_text()) for path in SHIPPED.glob("*.filters")}
    assert not any(found.values()), found
