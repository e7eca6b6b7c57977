# SPDX-License-Identifier: Apache-2.0
"""What a daemon that is not root may have tgtd do; files and a real tgtd are in the integration tests."""

from __future__ import annotations

import pytest

from nova.errors import Forbidden
from nova.volume.targets.gatekeeper import pass_on
from nova.volume.targets.tgtd import Mode, Op, Request

NAME = "iqn.2010-10.org.openstack:volume-44444444-4444-4444-8444-444444444444"
HEX = "0123456789abcdef"


def send(request: Request) -> str:
    return f"Target 3: {NAME}\nTarget 4: iqn.2001-04.com.example:other\n" if request.op is Op.SHOW else "done"


def ask(mode: Mode, op: Op, words: str = "", *, target: int = -1) -> str:
    return pass_on(Request(mode=mode, op=op, words=words, target=target, lun=1), send, user=1000)


def test_all_that_an_export_takes_is_passed_on() -> None:
    assert ask(Mode.TARGET, Op.SHOW).startswith("Target 3")
    assert ask(Mode.TARGET, Op.NEW, f"targetname={NAME}", target=5) == "done"
    assert ask(Mode.TARGET, Op.BIND, "initiator-name=iqn.x:host", target=3) == "done"
    assert ask(Mode.TARGET, Op.DELETE, target=3) == "done"
    assert ask(Mode.ACCOUNT, Op.NEW, f"user={HEX},password={HEX}") == "done"
    assert ask(Mode.ACCOUNT, Op.BIND, f"user={HEX}", target=3) == "done"
    assert ask(Mode.ACCOUNT, Op.DELETE, f"user={HEX}") == "done"


@pytest.mark.parametrize(
    ("mode", "op", "words", "target"),
    [
        (Mode.TARGET, Op.DELETE, "", 4),
        (Mode.TARGET, Op.BIND, "initiator-name=ALL,x=y", 3),
        (Mode.TARGET, Op.BIND, "initiator-address=ALL", 3),
        (Mode.TARGET, Op.NEW, "targetname=iqn.2001-04.com.example:other", 5),
        (Mode.TARGET, Op.NEW, f"targetname={NAME}\n", 5),
        (Mode.ACCOUNT, Op.NEW, "user=root,password=root", -1),
        (Mode.ACCOUNT, Op.SHOW, "", -1),
        (Mode.UNIT, Op.DELETE, "", 3),
        (Mode.UNIT, Op.NEW, "path=/etc/shadow", 3),
        (Mode.UNIT, Op.NEW, "path=/dev/sda", 3),
        (Mode.UNIT, Op.NEW, "path=/dev/vg/volume-44444444-4444-4444-8444-444444444444", 4),
        (Mode.UNIT, Op.NEW, "path=/dev/vg/volume-44444444-4444-4444-8444-444444444444,bstype=sg", 3),
        (Mode.UNIT, Op.NEW, "path=relative", 3),
    ],
)
def test_everything_else_is_refused(mode: Mode, op: Op, words: str, target: int) -> None:
    with pytest.raises(Forbidden):
        ask(mode, op, words, target=target)
