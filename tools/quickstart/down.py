# SPDX-License-Identifier: Apache-2.0
"""``./quickstart down``: remove the cloud and all that it made, whoever started it, however far it had come."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tools import private_libvirt
from tools.quickstart import kernel_settings, namespace, processes
from tools.quickstart.layout import BRIDGE, Layout

PATIENCE_S = 5.0


def down(layout: Layout) -> None:
    """Stop the daemons, the guests and what they stand on; then remove the state directory."""
    print("Stopping the cloud", flush=True)
    processes.stop(layout.run / "nova-all.pid", word="nova-all")
    print("Stopping the guests and their hypervisor", flush=True)
    private_libvirt.stop(layout.libvirt)
    print("Stopping the iSCSI target", flush=True)
    processes.stop(layout.run / "tgtd.pid", word="tgtd", patience_s=1)
    for leftover in Path("/var/run/tgtd").glob(f"socket.{layout.tgt_control_port}*"):
        leftover.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        Path("/var/run/tgtd").rmdir()
    print("Removing the network", flush=True)
    if layout.namespace is None:
        _clean_host_network(layout)
    elif namespace.exists(layout.namespace):
        _end(namespace.pids(layout.namespace))
        namespace.delete(layout.namespace)
    print(f"Removing {layout.state}", flush=True)
    shutil.rmtree(layout.networks, ignore_errors=True)
    shutil.rmtree(layout.state)
    print("Nothing is left of the cloud.")


def _end(pids: list[int]) -> None:
    """End processes that live in our namespace: they can be nobody else's."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + PATIENCE_S
        while pids and time.monotonic() < deadline:
            pids = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
            time.sleep(0.05)


def _clean_host_network(layout: Layout) -> None:
    """With --host-network: our DHCP servers, our chains and our bridge, by their names."""
    if layout.config.exists():
        manage = [layout.program("nova-manage"), "--config-file", str(layout.config), "host", "unwire"]
        subprocess.run(manage, check=False)
    for pidfile in layout.networks.glob("*.pid"):
        processes.stop(pidfile, word=str(layout.networks))
    subprocess.run(["ip", "link", "delete", BRIDGE], check=False, capture_output=True)
    kernel_settings.restore(layout.kernel_settings)
