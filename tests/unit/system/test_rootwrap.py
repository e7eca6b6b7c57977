# SPDX-License-Identifier: Apache-2.0
"""The privilege gate: what the shipped filters allow, and how a gate refuses."""

import os
import re
import shutil
from pathlib import Path

import pytest

from nova import errors
from nova.system.rootwrap import Gate

SHIPPED = Path(__file__).parents[3] / "etc" / "nova" / "rootwrap.d"


def gate_with(tmp_path: Path, filters: str, *, extra: str = "") -> Gate:
    directory = tmp_path / "rootwrap.d"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    (directory / "test.filters").write_text(f"[Filters]\n{filters}\n")
    (directory / "test.filters").chmod(0o644)
    return Gate(configuration(tmp_path, directory, extra))


def configuration(tmp_path: Path, directory: Path, extra: str = "") -> Path:
    path = tmp_path / "rootwrap.conf"
    path.write_text(
        f"[DEFAULT]\nfilters_path={directory}\nexec_dirs=/sbin,/usr/sbin,/bin,/usr/bin\nstate_path={tmp_path}\n{extra}"
    )
    path.chmod(0o644)
    return path


@pytest.fixture
def shipped(tmp_path: Path) -> Gate:
    directory = tmp_path / "shipped"
    shutil.copytree(SHIPPED, directory)
    for path in (directory, *directory.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Gate(configuration(tmp_path, directory))


def code_of(gate: Gate, *words: str) -> int:
    """The code with which a command is refused; 0 when it is allowed (or would be, were the program installed)."""
    try:
        gate.permit(words)
    except errors.HypervisorError as exc:
        return 0 if exc.data["code"] == 96 else int(exc.data["code"])
    return 0


@pytest.mark.parametrize(
    "line",
    [
        "ip link set br100 up",
        "ip -batch -",
        "sysctl -q -e -w net.ipv4.ip_forward=1 net.ipv6.conf.br100.accept_ra=0",
        "sysctl -w net.ipv4.ip_forward=1",
        "iptables-save",
        "iptables-save -c -t nat",
        "iptables-restore --noflush --wait=10",
        "ip6tables-restore -c",
        "env CONFIG_FILE=/etc/nova/nova.conf NETWORK_ID=3 dnsmasq --strict-order --bind-interfaces "
        "--dhcp-script=/usr/bin/nova-dhcpbridge --dhcp-range=set:net1,10.0.0.2,static,120s --conf-file=",
        "dhcp_release br100 10.0.0.4 02:16:3e:00:00:01",
        "arping -U -I eth0 -c 3 172.16.1.1",
        "lvcreate -n volume-1 -L 1G nova-volumes",
        "lvremove -f nova-volumes/volume-1",
        "dd if=/dev/zero of=/dev/nova-volumes/volume-1 bs=1M count=100 oflag=direct",
        "nova-tgt 0",
        "nova-tgt 22555",
    ],
)
def test_the_shipped_filters_allow_what_the_daemons_do(shipped: Gate, line: str) -> None:
    assert code_of(shipped, *line.split()) == 0


@pytest.mark.parametrize(
    "line",
    [
        "sh -c id",
        "cat /etc/shadow",
        "cat /etc/iscsi/initiatorname.iscsi /etc/shadow",
        "chown nova /etc/shadow",
        "tee /etc/passwd",
        "tee /etc/iscsi/nodes/../../passwd",
        "tee /etc/iscsi/nodes-of-mine",
        "tail -c 10 /etc/shadow",
        "ip netns exec x sh",
        "ip net e x sh",
        "ip vrf exec x sh",
        "ip -b /tmp/x",
        "sysctl -w kernel.core_pattern=|/tmp/x",
        "sysctl -q -e -w net.ipv4.ip_forward=1 kernel.modprobe=/tmp/x",
        "iptables-restore --modprobe=/tmp/x",
        "iptables-restore /tmp/rules",
        "env CONFIG_FILE=/tmp/x NETWORK_ID=3 dnsmasq --strict-order",
        "env CONFIG_FILE=/etc/nova/nova.conf NETWORK_ID=3 LD_PRELOAD=/tmp/x dnsmasq --strict-order",
        "env CONFIG_FILE=/etc/nova/nova.conf NETWORK_ID=3 dnsmasq --dhcp-script=/tmp/x",
        "env CONFIG_FILE=/etc/nova/nova.conf NETWORK_ID=3 dnsmasq --conf-file=/tmp/x",
        "env CONFIG_FILE=/etc/nova/nova.conf NETWORK_ID=3 dnsmasq -C /tmp/x",
        "dnsmasq --strict-order",
        "kill -9 1",
        "dd if=/etc/shadow of=/tmp/x",
        "dd if=/dev/zero of=/etc/passwd bs=1",
        "dd if=/dev/zero of=/dev/sda bs=1",
        "lvcreate --config devices{dir=/tmp} -n x nova-volumes",
        "nova-tgt",
        "nova-tgt 0 /etc/shadow",
        "nova-tgt ../../tmp/socket",
        "tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b /etc/shadow",
        "privsep-helper --privsep_context os.system",
        "ebtables --modprobe=/tmp/x -L",
        "",
    ],
)
def test_the_shipped_filters_refuse_what_would_be_root(shipped: Gate, line: str) -> None:
    assert code_of(shipped, *line.split()) == 99


def test_a_line_break_does_not_end_a_pattern(shipped: Gate) -> None:
    assert code_of(shipped, "dhcp_release", "br100", "10.0.0.4", "02:16:3e:00:00:01\n") == 99


def test_a_path_argument_is_resolved_before_it_is_compared(tmp_path: Path) -> None:
    state, outside = tmp_path / "state", tmp_path / "outside"
    state.mkdir()
    outside.mkdir()
    (state / "good").write_text("")
    (state / "link").symlink_to(outside)
    (tmp_path / "state-of-another").mkdir()
    gate = gate_with(tmp_path, "chown: PathFilter, chown, root, nova, $state_path/state")
    assert code_of(gate, "chown", "nova", f"{state}/good") == 0
    for path in (
        f"{state}/../outside/x",
        f"{state}/link/x",
        f"{tmp_path}/state-of-another/x",
        "state/good",
        "/etc/shadow",
    ):
        assert code_of(gate, "chown", "nova", path) == 99
    assert code_of(gate, "chown", "root", f"{state}/good") == 99
    assert gate.permit(["chown", "nova", f"{state}/../state/good"]).argv[1:] == ("nova", f"{state}/good")


def test_a_program_that_is_not_installed_is_named(tmp_path: Path) -> None:
    gate = gate_with(tmp_path, "none: CommandFilter, no-such-program, root")
    with pytest.raises(errors.HypervisorError, match="no-such-program is not installed") as caught:
        gate.permit(["no-such-program"])
    assert caught.value.data["code"] == 96


def test_an_unknown_filter_class_and_a_bad_pattern_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match="unknown class 'ComandFilter'"):
        gate_with(tmp_path, "x: ComandFilter, ls, root")
    with pytest.raises(errors.InvalidConfiguration, match="bad pattern"):
        gate_with(tmp_path, "x: RegExpFilter, ls, root, ls, [")


def test_a_missing_configuration_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=re.escape(f"{tmp_path}/none.conf cannot be read")):
        Gate(tmp_path / "none.conf")


@pytest.mark.skipif(os.geteuid() != 0, reason="who owns a file matters only to root")
def test_a_filter_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    gate_with(tmp_path, "ls: CommandFilter, ls, root")
    path = tmp_path / "rootwrap.d" / "test.filters"
    path.chmod(0o666)
    with pytest.raises(errors.InvalidConfiguration, match="writable by nobody else"):
        Gate(tmp_path / "rootwrap.conf")
    path.chmod(0o644)
    os.chown(path, 65534, 0)
    with pytest.raises(errors.InvalidConfiguration, match="owned by root"):
        Gate(tmp_path / "rootwrap.conf")
