# SPDX-License-Identifier: Apache-2.0
"""nova-volume with a real tgtd: who gets in and who does not, where the bytes go, and what a restart restores."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from nova.cmd.tgt import carry_out
from nova.context import admin_context
from nova.db import volumes
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.block_device import Connector, VolumeConnection
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import Conflict, Unavailable
from nova.secret import Secret
from nova.system.commands import CommandRunner
from nova.volume.drivers.file import FileDriver
from nova.volume.service import VolumeHost
from nova.volume.targets.sending import sender
from nova.volume.targets.tgt import TgtTarget
from nova.volume.targets.tgtd import Mode, Op, Request
from nova.volume.workplace import VolumeSettings, Workplace
from tests.integration.tgtd import TgtDaemon, qemu_io

ROOT = Path(__file__).parents[2]
CONTEXT = admin_context("a test")
HERE = Connector(host="here", ip="127.0.0.1", initiator="iqn.2010-10.org.openstack:here")
THERE = Connector(host="there", ip="127.0.0.1", initiator="iqn.2010-10.org.openstack:there")
NOBODY_UID = 65534


@pytest.fixture
def daemon() -> Iterator[TgtDaemon]:
    made = TgtDaemon()
    try:
        made.start()
        yield made
    finally:
        made.kill()


class Storage:
    """A nova-volume on files, its database, and what is on its disk."""

    def __init__(self, directory: Path, daemon: TgtDaemon) -> None:
        self.db = Database(DatabaseSettings(url=f"sqlite:///{directory}/nova.sqlite"))
        Base.metadata.create_all(self.db.engine)
        self.files = directory / "volumes"
        self.place = Workplace(
            db=self.db,
            driver=FileDriver(self.files),
            target=TgtTarget(sender(daemon.control, CommandRunner())),
            settings=VolumeSettings(host="storage", portal=daemon.portal),
        )
        self.host = VolumeHost(self.place)

    def volume(self) -> str:
        """The id of a volume of 1 GB that is available."""
        volume = Volume(
            id=str(uuid.uuid4()),
            user_id="alice",
            project_id="apples",
            size_gb=1,
            status=VolumeStatus.CREATING,
            host="storage",
        )
        self.db.run(lambda tx: volumes.create(tx, volume))
        self.host.create(CONTEXT, volume_id=volume.id)
        return volume.id

    def in_use(self, volume_id: str) -> None:
        """Let a server have the volume."""
        self.db.run(lambda tx: volumes.reset_status(tx, volume_id, VolumeStatus.IN_USE))

    def status(self, volume_id: str) -> str:
        return str(self.db.run(lambda tx: volumes.get(tx, volume_id), write=False).status)


@pytest.fixture
def storage(tmp_path: Path, daemon: TgtDaemon) -> Iterator[Storage]:
    made = Storage(tmp_path, daemon)
    yield made
    made.db.dispose()


def read(way: VolumeConnection, command: str = "read -P 0 0 64k") -> subprocess.CompletedProcess[str]:
    """Do *command* as the initiator for which the export was made, with its secret."""
    assert way.password is not None
    return qemu_io(way, command, initiator=HERE.initiator, user=way.username, password=way.password.reveal())


def gets_in(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether the command was carried out, and the bytes were as expected."""
    return done.returncode == 0 and "Pattern verification failed" not in done.stdout and " ops" in done.stdout


def test_what_a_guest_writes_is_in_the_backing_file(storage: Storage) -> None:
    volume_id = storage.volume()
    way = storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)
    assert gets_in(read(way))
    done = read(way, "write -P 0xab 1M 64k")
    assert gets_in(done), done.stderr
    with (storage.files / f"volume-{volume_id}").open("rb") as file:
        file.seek(1 << 20)
        assert file.read(64 << 10) == b"\xab" * (64 << 10)
    assert gets_in(read(way, "read -P 0xab 1M 64k"))


def test_a_planted_header_in_a_volume_is_not_followed(storage: Storage, tmp_path: Path) -> None:
    """CVE-2014-3641: a guest wrote a qcow2 header that names a file of the host; others read what it wrote"""
    canary, header, volume_id = tmp_path / "canary", tmp_path / "header", storage.volume()
    canary.write_bytes(b"\xcd" * (1 << 20))
    planted = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", str(canary), "-F", "raw", str(header), "1M"]
    subprocess.run(planted, check=True)
    with (storage.files / f"volume-{volume_id}").open("r+b") as file:
        file.write(header.read_bytes())
    way = storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)
    assert gets_in(read(way, "read -P 0x51 0 1"))
    assert gets_in(read(way, "read -P 0x46 1 1"))
    assert not gets_in(read(way, "read -P 0xcd 0 4k"))


def test_nobody_gets_in_without_the_secret_or_under_another_name(storage: Storage) -> None:
    way = storage.host.connect(CONTEXT, volume_id=storage.volume(), connector=HERE)
    assert way.password is not None
    user, password = way.username, way.password.reveal()
    command = "read -P 0 0 4k"
    assert gets_in(qemu_io(way, command, initiator=HERE.initiator, user=user, password=password))
    assert not gets_in(qemu_io(way, command, initiator=HERE.initiator))
    assert not gets_in(qemu_io(way, command, initiator=HERE.initiator, user=user, password="0" * 16))
    assert not gets_in(qemu_io(way, command, initiator=HERE.initiator, user="0" * 16, password=password))
    assert not gets_in(qemu_io(way, command, initiator=THERE.initiator, user=user, password=password))


def test_each_volume_has_a_secret_of_its_own(storage: Storage) -> None:
    first, second = (storage.host.connect(CONTEXT, volume_id=storage.volume(), connector=HERE) for _ in range(2))
    assert (first.username, first.password) != (second.username, second.password)
    assert first.password is not None
    crossed = qemu_io(
        second, "read 0 4k", initiator=HERE.initiator, user=first.username, password=first.password.reveal()
    )
    assert not gets_in(crossed)


def test_asking_again_gives_the_same_and_another_host_is_refused(storage: Storage) -> None:
    volume_id = storage.volume()
    way = storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)
    assert storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE) == way
    with pytest.raises(Conflict):
        storage.host.connect(CONTEXT, volume_id=volume_id, connector=THERE)
    storage.host.disconnect(CONTEXT, volume_id=volume_id, connector=THERE)
    assert gets_in(read(way))


def test_a_withdrawn_export_is_closed_and_its_secret_is_no_good_again(storage: Storage) -> None:
    volume_id = storage.volume()
    way = storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)
    storage.host.disconnect(CONTEXT, volume_id=volume_id, connector=HERE)
    storage.host.disconnect(CONTEXT, volume_id=volume_id, connector=HERE)
    assert not gets_in(read(way))
    again = storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)
    assert not gets_in(read(dataclasses.replace(again, username=way.username, password=way.password)))
    assert gets_in(read(again))


def test_a_restarted_target_daemon_has_its_exports_again(storage: Storage, daemon: TgtDaemon) -> None:
    ways = [storage.host.connect(CONTEXT, volume_id=storage.volume(), connector=HERE) for _ in range(2)]
    for way in ways:
        storage.in_use(way.volume_id)
    assert gets_in(read(ways[0], "write -P 0x5a 0 4k"))
    daemon.kill()
    daemon.start()
    assert not gets_in(read(ways[0], "read 0 4k"))
    storage.host.look_after(CONTEXT)
    assert gets_in(read(ways[0], "read -P 0x5a 0 4k"))
    assert gets_in(read(ways[1], "read -P 0 0 4k"))


def test_a_target_daemon_that_is_away_is_named_and_nothing_ends(storage: Storage, daemon: TgtDaemon) -> None:
    volume_id = storage.volume()
    daemon.kill()
    with pytest.raises(Unavailable, match="tgtd"):
        storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)
    storage.host.look_after(CONTEXT)
    daemon.start()
    assert gets_in(read(storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)))


def test_a_leftover_under_the_same_number_is_replaced(storage: Storage, daemon: TgtDaemon) -> None:
    name = f"iqn.2010-10.org.openstack:volume-{uuid.uuid4()}"
    daemon.admin("--mode", "target", "--op", "new", "--tid", "1", "-T", name)
    assert gets_in(read(storage.host.connect(CONTEXT, volume_id=storage.volume(), connector=HERE)))
    assert name not in daemon.admin("--mode", "target", "--op", "show")


def test_many_volumes_are_exported_at_once_under_numbers_of_their_own(storage: Storage) -> None:
    ids = [storage.volume() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        ways = list(pool.map(lambda each: storage.host.connect(CONTEXT, volume_id=each, connector=HERE), ids))
    assert len({way.iqn for way in ways}) == 8
    assert sorted(storage.place.target.targets()) == list(range(1, 9))
    assert gets_in(read(ways[3]))


def test_a_deleted_volume_leaves_neither_target_nor_file(storage: Storage) -> None:
    volume_id = storage.volume()
    way = storage.host.connect(CONTEXT, volume_id=volume_id, connector=HERE)
    storage.db.run(lambda tx: volumes.begin_delete(tx, volume_id, project_id=None))
    storage.host.delete(CONTEXT, volume_id=volume_id)
    assert storage.place.target.targets() == {}
    assert not gets_in(read(way))
    assert list(storage.files.iterdir()) == []


def test_no_secret_is_shown_by_the_target_daemon_or_in_a_command_line(storage: Storage, daemon: TgtDaemon) -> None:
    way = storage.host.connect(CONTEXT, volume_id=storage.volume(), connector=HERE)
    assert isinstance(way.password, Secret)
    assert way.password.reveal() not in daemon.admin("--mode", "target", "--op", "show")
    assert way.password.reveal() not in repr(way)


def as_user(daemon: TgtDaemon, request: Request, *, user: int) -> dict[str, str]:
    """What the program nova-tgt prints for a request of *user*."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "bin" / "nova-tgt"), str(daemon.control)],
        input=msgspec.json.encode(request),
        env={**os.environ, "SUDO_UID": str(user), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_a_daemon_that_is_not_root_exports_through_the_helper(storage: Storage, daemon: TgtDaemon) -> None:
    def send(request: Request) -> str:
        outcome = as_user(daemon, request, user=NOBODY_UID)
        assert not outcome["kind"], outcome
        return outcome["text"]

    place = dataclasses.replace(storage.place, target=TgtTarget(send))
    volume_id = storage.volume()
    shutil.chown(storage.files / f"volume-{volume_id}", user=NOBODY_UID)
    way = VolumeHost(place).connect(CONTEXT, volume_id=volume_id, connector=HERE)
    done = read(way, "write -P 0x77 0 4k")
    assert gets_in(done), done.stderr
    assert (storage.files / f"volume-{volume_id}").read_bytes()[:4096] == b"\x77" * 4096
    VolumeHost(place).disconnect(CONTEXT, volume_id=volume_id, connector=HERE)
    assert place.target.targets() == {}


def test_the_helper_exports_nothing_but_its_users_volumes(storage: Storage, daemon: TgtDaemon, tmp_path: Path) -> None:
    name = f"volume-{uuid.uuid4()}"
    roots, linked, other, directory = (tmp_path / each / name for each in ("roots", "linked", "other", "directory"))
    for path in (roots, linked, other, directory):
        path.parent.mkdir()
    roots.write_bytes(b"secret of root")
    linked.symlink_to(roots)
    directory.mkdir()
    shutil.chown(directory, user=NOBODY_UID)
    shutil.chown(linked.parent, user=NOBODY_UID)
    other.write_bytes(b"mine")
    shutil.chown(other, user=NOBODY_UID)
    (tmp_path / "alias").symlink_to(other.parent)
    target = f"targetname=iqn.2010-10.org.openstack:{name}"
    assert not as_user(daemon, Request(mode=Mode.TARGET, op=Op.NEW, target=9, words=target), user=NOBODY_UID)["kind"]
    for path in (
        *(roots, linked, directory, tmp_path / "alias" / name, Path("/etc/shadow"), Path("/dev/null")),
        *(Path("/dev/vg", name), Path(f"{tmp_path}/other/../roots/{name}"), Path("/dev/sda")),
    ):
        request = Request(mode=Mode.UNIT, op=Op.NEW, target=9, lun=1, words=f"path={path}")
        assert as_user(daemon, request, user=NOBODY_UID)["kind"] == "Forbidden", path
    fine = Request(mode=Mode.UNIT, op=Op.NEW, target=9, lun=1, words=f"path={other}")
    assert not as_user(daemon, fine, user=NOBODY_UID)["kind"]


def test_the_helper_leaves_targets_of_others_alone(daemon: TgtDaemon, tmp_path: Path) -> None:
    daemon.admin("--mode", "target", "--op", "new", "--tid", "5", "-T", "iqn.2001-04.com.example:accounts")
    for request in (
        Request(mode=Mode.TARGET, op=Op.DELETE, target=5, force=True),
        Request(mode=Mode.TARGET, op=Op.BIND, target=5, words="initiator-name=ALL"),
        Request(mode=Mode.ACCOUNT, op=Op.BIND, target=5, words=f"user={'a' * 16}"),
        Request(mode=Mode.TARGET, op=Op.NEW, target=6, words="targetname=iqn.2001-04.com.example:mine"),
    ):
        assert as_user(daemon, request, user=NOBODY_UID)["kind"] == "Forbidden", request
    assert "com.example:accounts" in daemon.admin("--mode", "target", "--op", "show")


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"mode": 99, "op": 0}', b"\xff\xfe", b"{" * 5000])
def test_the_helper_refuses_bytes_that_are_no_request(daemon: TgtDaemon, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "request"
    path.write_bytes(raw)
    with path.open("rb") as source:
        assert carry_out(source, control_port=daemon.control, user=NOBODY_UID).kind == "InvalidInput"
