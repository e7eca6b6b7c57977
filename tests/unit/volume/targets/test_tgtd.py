# SPDX-License-Identifier: Apache-2.0
"""tgtd's management protocol: the bytes of requests and answers, against a daemon that is played."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nova.errors import HypervisorError, Unavailable
from nova.volume.targets.tgtd import Code, Mode, Op, Request, send, targets_in

LISTING = """\
Target 1: iqn.2010-10.org.openstack:volume-1
    System information:
        Driver: iscsi
    LUN information:
        LUN: 0
    Account information:
        Target 9: not-a-target
Target 12: iqn.2010-10.org.openstack:volume-2
"""


@contextmanager
def played(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """A daemon that takes one request and gives *answer*; what it was sent."""
    taken: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                taken.append(connection.recv(65536))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield taken
        finally:
            thread.join(5)


def answer(code: int, text: bytes = b"") -> bytes:
    return struct.pack("=II", code, 8 + len(text)) + text


def test_a_request_is_a_header_and_text() -> None:
    raw = Request(mode=Mode.UNIT, op=Op.NEW, target=3, lun=1, words="path=/dev/vg/volume").encode()
    assert len(raw) == 120 + len("path=/dev/vg/volume") + 1
    mode, op, driver, size, target, _, lun = struct.unpack_from("=II64sIiQQ", raw)
    assert (mode, op, driver.rstrip(b"\0"), size, target, lun) == (2, 0, b"iscsi", len(raw), 3, 1)
    assert raw.endswith(b"path=/dev/vg/volume\0")


def test_a_request_never_shows_its_words() -> None:
    assert "hush" not in repr(Request(mode=Mode.ACCOUNT, op=Op.NEW, words="user=u,password=hush"))


def test_the_text_of_the_answer_comes_back(tmp_path: Path) -> None:
    with played(tmp_path / "s", answer(0, b"Target 1: x\n\0")) as taken:
        assert send(tmp_path / "s", Request(mode=Mode.TARGET, op=Op.SHOW)) == "Target 1: x\n"
    assert taken == [Request(mode=Mode.TARGET, op=Op.SHOW).encode()]


def test_an_error_number_is_an_error_unless_it_is_expected(tmp_path: Path) -> None:
    request = Request(mode=Mode.ACCOUNT, op=Op.DELETE, words="user=a,password=hush")
    with played(tmp_path / "a", answer(15)), pytest.raises(HypervisorError) as caught:
        send(tmp_path / "a", request)
    assert "15" in caught.value.detail
    assert "hush" not in str(caught.value)
    expecting = Request(mode=Mode.ACCOUNT, op=Op.DELETE, words="user=a", accepted=(Code.NO_ACCOUNT,))
    with played(tmp_path / "b", answer(15)):
        assert send(tmp_path / "b", expecting) == ""


@pytest.mark.parametrize("broken", [b"", b"\0\0\0", struct.pack("=II", 0, 5000) + b"short"])
def test_a_daemon_that_breaks_off_is_unavailable(tmp_path: Path, broken: bytes) -> None:
    with played(tmp_path / "s", broken), pytest.raises(Unavailable, match="tgtd"):
        send(tmp_path / "s", Request(mode=Mode.TARGET, op=Op.SHOW))


def test_a_daemon_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="is tgtd running"):
        send(tmp_path / "none", Request(mode=Mode.TARGET, op=Op.SHOW))


def test_targets_are_read_from_a_listing() -> None:
    assert targets_in(LISTING) == {
        1: "iqn.2010-10.org.openstack:volume-1",
        12: "iqn.2010-10.org.openstack:volume-2",
    }
