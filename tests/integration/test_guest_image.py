# SPDX-License-Identifier: Apache-2.0
"""The test guest as its user sees it: DHCP, metadata, SSH with the key pair, user data, behind its packet filters."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.domain.block_device import VolumeConnection
from nova.domain.network import FixedAddress, Nic
from nova.domain.security_group import InstanceFilter, SecurityGroupRule
from nova.system.commands import CommandRunner
from nova.virt.driver import Guest
from nova.virt.filters.linux import FilterSettings, LinuxFilters
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.integration.netns import Inside, Lan, python_inside, run
from tests.unit.virt.contract import CONTEXT, Plant, wait_for
from tests.unit.virt.images import images
from tests.unit.virt.images.images import Store, described
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

MAC, ADDRESS, GATEWAY = "02:16:3e:00:00:21", "10.0.0.33", "10.0.0.1"

METADATA = """
import http.server, sys
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = {"meta_data.json": sys.argv[1], "user_data": sys.argv[2]}.get(self.path.rpartition("/")[2])
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write((found or "").encode())
    def log_message(self, *words): pass
server = http.server.HTTPServer(("169.254.169.254", 80), Service)
print("listening", flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    lan = Lan()
    try:
        run("ip", "-n", lan.name, "addr", "add", f"{GATEWAY}/24", "dev", "br0")
        run("ip", "-n", lan.name, "addr", "add", "169.254.169.254/32", "dev", "lo")
        yield lan
    finally:
        lan.remove()


@pytest.fixture
def dhcp(lan: Lan, tmp_path: Path) -> Iterator[None]:
    words = ["--conf-file=", "--keep-in-foreground", "--bind-interfaces", "--interface=br0", "--port=0", "--no-ping"]
    words += [
        f"--dhcp-range={ADDRESS},static,120s",
        f"--dhcp-host={MAC},{ADDRESS}",
        f"--dhcp-leasefile={tmp_path}/leases",
    ]
    server = subprocess.Popen(["ip", "netns", "exec", lan.name, "dnsmasq", *words, "--user=root"])
    yield
    server.send_signal(signal.SIGTERM)
    server.wait()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a, comment", "-f", str(tmp_path / "key"))
    return tmp_path / "key"


@pytest.fixture
def metadata(lan: Lan, key: Path) -> Iterator[None]:
    public = key.with_suffix(".pub").read_text()
    document = {"uuid": "u", "hostname": "web.novalocal", "public_keys": {"mykey": public}, "name": "web"}
    script = "#!/bin/sh\\necho user data ran on $(hostname)\\n".replace("\\n", "\n")
    service = python_inside(lan.name, METADATA, json.dumps(document), script)
    assert service.stdout is not None
    assert service.stdout.readline() == "listening\n"
    yield
    service.kill()
    service.communicate()


def test_a_guest_gets_its_address_its_keys_and_its_user_data(
    lan: Lan, dhcp: None, metadata: None, key: Path, tmp_path: Path
) -> None:
    built = guest_image.build()
    contents = {"kernel": built.kernel.read_bytes(), "ramdisk": built.initramfs.read_bytes(), "root": images.bootable()}
    formats = {"kernel": "aki", "ramdisk": "ari", "root": "ami"}
    parts = {name: described(data, disk_format=formats[name], image_id=name) for name, data in contents.items()}
    plant = Plant(
        reader=Store(**contents),
        huge=parts["root"],
        **parts,
        connection=VolumeConnection(volume_id="", portal="", iqn="", lun=0),
    )
    card = Nic(
        vif_uuid="77777777-6666-5555-4444-333333333333",
        mac_address=MAC,
        network_uuid="n",
        label="private",
        bridge="br0",
        cidr="10.0.0.0/24",
        gateway=GATEWAY,
        dhcp_server=GATEWAY,
        addresses=(FixedAddress(address=ADDRESS, version=4, netmask="255.255.255.0"),),
    )
    home = tmp_path / "libvirt"
    uri = private_libvirt.start(lan.name, home)
    settings = LibvirtSettings(host="here", instances_path=tmp_path / "instances", uri=uri, virt_type="qemu")
    driver = LibvirtDriver(settings, runner=CommandRunner())
    filters = LinuxFilters(
        FilterSettings(lock_path=tmp_path / "lock", allow_same_net_traffic=False),
        runner=CommandRunner(Inside(lan.name)),
    )
    instance = plant.instance()
    try:
        ssh_only = SecurityGroupRule(protocol="tcp", from_port=22, to_port=22, cidr="0.0.0.0/0")
        driver.fetch_images(CONTEXT, tuple(parts.values()), plant.reader)
        driver.create_disks(instance, image=parts["root"], kernel=parts["kernel"], ramdisk=parts["ramdisk"])
        filters.apply(((InstanceFilter(instance_uuid=instance.uuid, rules=(ssh_only,)), (card,)),))
        driver.start(Guest(instance=instance, nics=(card,)))
        wait_for(lambda: b"ready after" in driver.console_output(instance.name, max_bytes=10**6), 90, "boot")
        console = driver.console_output(instance.name, max_bytes=10**6).decode(errors="replace")
        assert f"nova-guest: address {ADDRESS}" in console
        assert "nova-guest: 1 keys from metadata service" in console
        assert "nova-guest: user data: user data ran on web" in console
        options = [
            "StrictHostKeyChecking=no",
            f"UserKnownHostsFile={tmp_path}/known",
            "BatchMode=yes",
            "ConnectTimeout=10",
        ]
        words = [word for option in options for word in ("-o", option)]
        said = run(
            "ip",
            "netns",
            "exec",
            lan.name,
            "ssh",
            "-i",
            str(key),
            *words,
            f"root@{ADDRESS}",
            "hostname; cat /proc/cmdline",
        )
        assert said.splitlines()[0] == "web"
        assert "root=/dev/vda console=ttyS0" in said
        ping = ["ip", "netns", "exec", lan.name, "ping", "-c", "1", "-W", "1", ADDRESS]
        assert subprocess.run(ping, capture_output=True).returncode != 0
    finally:
        driver.destroy(instance)
        driver.close()
        private_libvirt.stop(home)
    assert card.tap not in run("ip", "-n", lan.name, "link")
