# SPDX-License-Identifier: Apache-2.0
"""The host's own iSCSI initiator: iscsiadm logs in, the guest gets the block device by its path.

Runs in nova-compute; commands go through the privilege gate.  A login that fails leaves nothing.
One target holds one volume, so the session ends with the volume's last use on this host.
"""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

from nova import errors
from nova.domain.block_device import VolumeConnection
from nova.virt.driver import AttachedVolume
from nova.virt.images.qemu_img import Runner
from nova.virt.libvirt.initiators import DiskPlace, portal
from nova.virt.libvirt.xml.disk import PathDisk

RECORDS = (Path("/etc/iscsi/nodes"), Path("/var/lib/iscsi/nodes"))
BY_PATH = Path("/dev/disk/by-path")
NO_OBJECTS = 21
"""ISCSI_ERR_NO_OBJS_FOUND: no session or record of that name"""
SESSION_EXISTS = 15
"""ISCSI_ERR_SESS_EXISTS"""
DEVICE_TIMEOUT_S = 30.0
POLL_S = 0.1

_IQN = re.compile(r"(iqn|eui|naa)\.[A-Za-z0-9.:_-]{1,220}")
_DEVICE = re.compile(r"ip-(?P<portal>.+)-iscsi-(?P<iqn>.+)-lun-(?P<lun>\d+)")


class HostInitiator:
    """open-iscsi."""

    def __init__(self, runner: Runner, *, records: tuple[Path, ...] = RECORDS, by_path: Path = BY_PATH) -> None:
        self._runner = runner
        self._records = records
        self._by_path = by_path
        self._lock = threading.Lock()

    def connect(self, volume: AttachedVolume) -> None:
        """Log in, and wait for the device."""
        way = volume.connection
        where = _portal_text(way)
        if _IQN.fullmatch(way.iqn) is None:
            raise errors.HypervisorError("The volume's target name is not valid.", detail=repr(way.iqn))
        with self._lock:
            self._iscsiadm(way.iqn, where, "-o", "new", ok_codes=(0, SESSION_EXISTS))
            if way.password is not None:
                self._write_password(way, where)
            self._log_in(way.iqn, where)
        self._wait_for(self.path(way))

    def disk(self, volume: AttachedVolume, *, place: DiskPlace, boot_order: int | None = None) -> PathDisk:
        """A block device."""
        way = volume.connection
        return PathDisk(
            path=str(self.path(way)),
            target=place.target,
            bus=place.bus,
            limits=place.limits,
            serial=way.volume_id,
            boot_order=boot_order,
        )

    def disconnect(self, disk: Any) -> None:
        """Log out and drop the record."""
        source = disk.find("source")
        match = None if source is None else _DEVICE.fullmatch(Path(source.get("dev", "")).name)
        if match is None:
            return
        with self._lock:
            for words in (("--logout",), ("-o", "delete")):
                self._iscsiadm(match["iqn"], match["portal"], *words, ok_codes=(0, NO_OBJECTS))

    def path(self, way: VolumeConnection) -> Path:
        """The link that udev makes for the volume's device."""
        return self._by_path / f"ip-{_portal_text(way)}-iscsi-{way.iqn}-lun-{way.lun}"

    def _log_in(self, iqn: str, where: str) -> None:
        try:
            self._iscsiadm(iqn, where, "--login", ok_codes=(0, SESSION_EXISTS))
        except errors.NovaError:
            self._iscsiadm(iqn, where, "-o", "delete", ok_codes=(0, NO_OBJECTS))
            raise

    def _iscsiadm(self, iqn: str, where: str, *words: str, ok_codes: tuple[int, ...] = (0,)) -> None:
        self._runner.run([*_node(iqn, where), *words], as_root=True, ok_codes=ok_codes)

    def _write_password(self, way: VolumeConnection, where: str) -> None:
        """Put CHAP into the node's record, which is open-iscsi's own file; its command line would show the password."""
        if way.password is None:
            return
        address, port = portal(way)
        name = f"{way.iqn}/{address},{port},1/default"
        record = next((base / name for base in self._records if (base / name).exists()), self._records[0] / name)
        shown = self._runner.run(_node(way.iqn, where), as_root=True).text
        # What is shown as <empty> is not in the record, and iscsid would take the word for a value.
        given = (line for line in shown.splitlines() if not line.endswith("<empty>"))
        kept = [line for line in given if not line.startswith(("node.session.auth.", "#"))]
        kept += [
            "node.session.auth.authmethod = CHAP",
            f"node.session.auth.username = {_one_line(way.username)}",
            f"node.session.auth.password = {_one_line(way.password.reveal())}",
        ]
        text = "# BEGIN RECORD\n" + "\n".join(kept) + "\n# END RECORD\n"
        self._runner.run(["tee", str(record)], as_root=True, stdin=text.encode())

    def _wait_for(self, path: Path) -> None:
        deadline = time.monotonic() + DEVICE_TIMEOUT_S
        while not path.exists():
            if time.monotonic() > deadline:
                raise errors.HypervisorError("The volume's device did not appear on the host.", detail=str(path))
            time.sleep(POLL_S)


def _node(iqn: str, where: str) -> list[str]:
    """iscsiadm on one node.  The portal group is always 1, which also decides the record's file name."""
    return ["iscsiadm", "-m", "node", "-T", iqn, "-p", f"{where},1"]


def _portal_text(way: VolumeConnection) -> str:
    address, port = portal(way)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise errors.HypervisorError("The volume's credentials hold characters that open-iscsi cannot keep.")
    return text
