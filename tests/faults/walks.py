# SPDX-License-Identifier: Apache-2.0
"""How a server comes to where an action may begin, and the request that asks for the action: one row for each action.

Both walks over recorded steps read this table: ``tests/functional/test_every_step.py`` (all daemons in one process,
every step with every fault) and ``tests/integration/fault_walk.py`` (real daemons and guests, run by its name).  An
action that a compute host does has a row here, or a test fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from nova.domain.transitions import Action as A


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a walk works on."""

    server: str = ""
    volume: str = ""
    """A volume that is available at first"""
    image: str
    flavor: str
    larger_flavor: str = ""
    card: str = ""
    """The network card that is to be taken out"""
    network: str = ""
    """Where it is"""
    hosts: tuple[str, ...] = ()
    """The compute hosts; the server is on the first one at first"""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to the compute API."""

    method: str
    path: str
    body: Any = None
    version: str = "2.1"
    """The microversion"""


class Lab(Protocol):
    """A cloud as a walk sees it."""

    def ask(self, request: Request) -> Any:
        """Send *request*, which must succeed; the JSON of the answer."""
        ...

    def calm(self, subject: Subject) -> None:
        """Wait until nothing is being done to the server."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The row of one action."""

    request: Callable[[Subject], Request]
    before: tuple[A, ...] = ()
    """What is done first with a server that was just booted, by the rows of these actions"""
    look: Callable[[Lab, Subject], Subject] = lambda lab, subject: subject
    """What must be known for the request and is seen only now"""
    needs_server: bool = True
    volume: bool = False
    """Whether its own request names the volume"""
    before_idle: tuple[A, ...] | None = None
    """What is done first instead, where the guests have no system that answers"""
    only_functional: str = ""
    """Why there is no walk on real guests, where there is none"""


def action(name: str, argument: Any = None) -> Callable[[Subject], Request]:
    """``POST /servers/{id}/action`` with one key."""
    return lambda subject: Request("POST", f"/servers/{subject.server}/action", {name: argument})


def _boot(subject: Subject) -> Request:
    return Request(
        "POST", "/servers", {"server": {"name": "walk", "imageRef": subject.image, "flavorRef": subject.flavor}}
    )


def _attach(subject: Subject) -> Request:
    asked = {"volumeAttachment": {"volumeId": subject.volume}}
    return Request("POST", f"/servers/{subject.server}/os-volume_attachments", asked)


def _last_card(lab: Lab, subject: Subject) -> Subject:
    cards = lab.ask(Request("GET", f"/servers/{subject.server}/os-interface"))["interfaceAttachments"]
    return replace(subject, card=str(cards[-1]["port_id"]), network=str(cards[-1]["net_id"]))


def _plug(subject: Subject) -> Request:
    asked = {"interfaceAttachment": {"net_id": subject.network}}
    return Request("POST", f"/servers/{subject.server}/os-interface", asked)


# The cloud keeps deleted servers for a while (``reclaim_instance_interval``), so a plain DELETE is a soft one; shelved
# servers stay on their hosts (``shelved_offload_time``) until they are offloaded.
WALKS: Mapping[A, Walk] = {
    A.CREATE: Walk(request=_boot, needs_server=False),
    A.DELETE: Walk(request=action("forceDelete"), before=(A.ATTACH_VOLUME,)),
    A.SOFT_DELETE: Walk(request=lambda it: Request("DELETE", f"/servers/{it.server}")),
    A.RESTORE: Walk(request=action("restore"), before=(A.SOFT_DELETE,)),
    A.REBOOT: Walk(request=action("reboot", {"type": "SOFT"})),
    A.REBOOT_HARD: Walk(request=action("reboot", {"type": "HARD"}), before=(A.ATTACH_VOLUME,)),
    A.STOP: Walk(request=action("os-stop")),
    A.START: Walk(request=action("os-start"), before=(A.ATTACH_VOLUME, A.STOP)),
    A.PAUSE: Walk(request=action("pause")),
    A.UNPAUSE: Walk(request=action("unpause"), before=(A.PAUSE,)),
    A.SUSPEND: Walk(request=action("suspend")),
    A.RESUME: Walk(request=action("resume"), before=(A.SUSPEND,)),
    A.CHANGE_PASSWORD: Walk(
        request=action("changePassword", {"adminPass": "open sesame"}),
        only_functional="the guest has no agent; tests/integration/test_guest_events.py has one that does",
    ),
    A.TRIGGER_CRASH_DUMP: Walk(request=lambda it: replace(action("trigger_crash_dump")(it), version="2.17")),
    A.RESET_NETWORK: Walk(request=action("resetNetwork")),
    A.INJECT_NETWORK_INFO: Walk(request=action("injectNetworkInfo")),
    A.REBUILD: Walk(
        request=lambda it: action("rebuild", {"imageRef": it.image})(it),
        before=(A.ATTACH_VOLUME,),
    ),
    A.SHELVE: Walk(request=action("shelve"), before=(A.ATTACH_VOLUME,)),
    A.SHELVE_OFFLOAD: Walk(request=action("shelveOffload"), before=(A.ATTACH_VOLUME, A.SHELVE)),
    A.UNSHELVE: Walk(request=action("unshelve"), before=(A.ATTACH_VOLUME, A.SHELVE, A.SHELVE_OFFLOAD)),
    A.CREATE_IMAGE: Walk(request=action("createImage", {"name": "walk"})),
    A.CREATE_BACKUP: Walk(request=action("createBackup", {"name": "walk", "backup_type": "daily", "rotation": 1})),
    A.ATTACH_VOLUME: Walk(request=_attach, volume=True),
    A.DETACH_VOLUME: Walk(
        request=lambda it: Request("DELETE", f"/servers/{it.server}/os-volume_attachments/{it.volume}"),
        before=(A.ATTACH_VOLUME,),
        before_idle=(A.STOP, A.ATTACH_VOLUME),
    ),
    A.ATTACH_INTERFACE: Walk(request=_plug, look=_last_card),
    A.DETACH_INTERFACE: Walk(
        request=lambda it: Request("DELETE", f"/servers/{it.server}/os-interface/{it.card}"),
        look=_last_card,
        before_idle=(A.STOP,),
    ),
    A.RESCUE: Walk(request=action("rescue")),
    A.UNRESCUE: Walk(request=action("unrescue"), before=(A.RESCUE,)),
}


def needs_volume(wanted: A) -> bool:
    """Whether a volume is attached at some time on the way."""
    return any(WALKS[each].volume for each in (*WALKS[wanted].before, wanted))


def begin(lab: Lab, wanted: A, subject: Subject) -> Subject:
    """A server in the start state of *wanted*, unless it needs none; the subject with it."""
    walk = WALKS[wanted]
    if walk.needs_server:
        subject = ask(lab, A.CREATE, subject)
        lab.calm(subject)
    for earlier in walk.before:
        ask(lab, earlier, subject)
        lab.calm(subject)
    return subject


def ask(lab: Lab, wanted: A, subject: Subject) -> Subject:
    """Ask for *wanted*; the subject, with the server that was made by that."""
    subject = WALKS[wanted].look(lab, subject)
    answer = lab.ask(WALKS[wanted].request(subject))
    return replace(subject, server=str(answer["server"]["id"])) if wanted is A.CREATE else subject
