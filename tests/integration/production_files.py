# SPDX-License-Identifier: Apache-2.0
"""The files of a production cloud: nova.conf of the controller and of the compute hosts, and their rootwrap.conf."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BINARIES = Path(sys.executable).parent
BRIDGE = "br-prod"
FIXED_RANGE = "10.66.0.0/24"
APIS = {"identity": 5000, "osapi_compute": 8774, "metadata": 8775, "osapi_volume": 8776, "image": 9292}

_SHARED = """\
[DEFAULT]
state_path = {state}
rootwrap_config = {rootwrap}
host = {host}
my_ip = {my_ip}
transport_url = {broker}
report_interval = 1
service_down_time = 5
default_log_levels = amqp=WARNING

[oslo_concurrency]
lock_path = {lock}

[DEFAULT]
"""
_CONTROLLER = """\
auth_strategy = builtin
enabled_apis = osapi_compute,metadata,osapi_volume,identity,image
{listens}
metadata_listen = 0.0.0.0
{workers}
api_paste_config = {checkout}/etc/nova/api-paste.ini
network_manager = nova.network.manager.FlatDHCPManager
flat_network_bridge = {bridge}
fixed_range = {fixed_range}
metadata_host = 169.254.169.254
public_interface = lo
dhcpbridge = {dhcpbridge}
dhcpbridge_flagfile = {own}
force_dhcp_release = true
ram_allocation_ratio = 1.0
{more}
volume_driver = file
iscsi_ip_address = {my_ip}
iscsi_helper = tgtadm
iscsi_control_port = {tgt_port}

[database]
connection = {database}
retry_interval = 1

[conductor]
recovery_interval_s = 1
recovery_grace_s = {grace_s}

[image]
store = local

[quota]
instances = -1
cores = -1
ram = -1
"""
_COMPUTE = """\
compute_driver = {driver}
instances_path = {state}/instances
flat_network_bridge = {bridge}
{more}

[conductor]
recovery_interval_s = 1

[image]
store = local
{image_store}

[libvirt]
virt_type = qemu
cpu_mode = none
connection_uri = {uri}
"""
_ROOTWRAP = """\
[DEFAULT]
filters_path = {filters}
exec_dirs = /sbin,/usr/sbin,/bin,/usr/bin
state_path = {state}
config_path = {etc}
use_syslog = False
syslog_log_facility = syslog
syslog_log_level = ERROR
"""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where everything of one cloud is kept, below *home*."""

    home: Path

    def etc(self, host: str) -> Path:
        return self.home / "etc" / host

    def config(self, host: str) -> Path:
        """The nova.conf of one host."""
        return self.etc(host) / "nova.conf"

    def state(self, host: str) -> Path:
        return self.home / host

    def log(self, name: str) -> Path:
        return self.home / "log" / f"{name}.log"

    def prepare(self) -> None:
        """The directories that all hosts share; the DHCP server's own user must pass."""
        self.home.chmod(0o711)
        (self.home / "log").mkdir()
        (self.home / "etc").mkdir()

    def write_controller(self, host: str, **values: object) -> None:
        """The configuration of the host with everything but guests.

        :param values: ``broker``, ``database``, ``tgt_port``, ``api_workers`` (0 is one process), ``grace_s``
        """
        count = values["api_workers"]
        own = self.config(host)
        listens = "\n".join(f"{api}_listen = 127.0.0.1" for api in APIS if api != "metadata")
        places = {
            "listens": listens,
            "workers": f"osapi_compute_workers = {count}" if count else "",
            "checkout": CHECKOUT,
            "bridge": BRIDGE,
            "fixed_range": FIXED_RANGE,
            "dhcpbridge": BINARIES / "nova-dhcpbridge",
            "own": own,
            "my_ip": "127.0.0.1",
            "more": "",
        }
        self._write(host, _SHARED + _CONTROLLER, {**places, **values})

    def write_compute(
        self,
        host: str,
        *,
        driver: str,
        uri: str,
        broker: str,
        images: Path | None,
        my_ip: str = "127.0.0.1",
        more: str = "",
    ) -> None:
        """The configuration of a host of guests: it names no database.

        :param images: the directory of images, where the host shares it with the controller
        :param my_ip: the host's address, and *more* further lines of its options
        """
        store = f"image_store_path = {images}" if images else ""
        values = {"driver": driver, "uri": uri, "broker": broker, "bridge": BRIDGE, "image_store": store}
        values |= {"my_ip": my_ip, "more": more}
        self._write(host, _SHARED + _COMPUTE, values)

    def _write(self, host: str, text: str, values: Mapping[str, object]) -> None:
        state, etc = self.state(host), self.etc(host)
        state.mkdir(mode=0o711, exist_ok=True)
        etc.mkdir()
        rootwrap = self._rootwrap(host)
        shared = {"state": state, "lock": self.home / "lock", "rootwrap": rootwrap, "host": host}
        self.config(host).write_text(text.format(**shared, **values))
        self.config(host).chmod(0o600)

    def _rootwrap(self, host: str) -> Path:
        """The project's own filters, for the paths of this checkout."""
        etc = self.etc(host)
        filters = etc / "rootwrap.d"
        filters.mkdir()
        installed, ours = "/usr/(local/)?bin/nova-dhcpbridge", re.escape(str(BINARIES / "nova-dhcpbridge"))
        for source in (CHECKOUT / "etc" / "nova" / "rootwrap.d").glob("*.filters"):
            (filters / source.name).write_text(source.read_text().replace(installed, ours))
        path = etc / "rootwrap.conf"
        path.write_text(_ROOTWRAP.format(filters=filters, state=self.state(host), etc=etc))
        return path
