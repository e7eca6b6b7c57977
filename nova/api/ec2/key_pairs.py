# SPDX-License-Identifier: Apache-2.0
"""Key pairs."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from nova.api.actions import key_pairs as actions
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.filters import Reader, narrowed
from nova.api.ec2.parameters import FILTERS, Flag, Many, Text
from nova.api.policies.compute import PREFIX
from nova.api.routing import Tx
from nova.db import key_pairs
from nova.domain.instance import KeyPair
from nova.errors import NotFound

VPN_SUFFIX = "-vpn"
_NAME = re.compile(r"(?! )[a-zA-Z0-9_ \-]{1,255}(?<! )", re.ASCII)
NAME = Text("KeyName", required=True)
_READERS: dict[str, Reader[KeyPair]] = {
    "key-name": lambda pair: [pair.name],
    "fingerprint": lambda pair: [pair.fingerprint],
}


def describe(request: Ec2Request) -> Mapping[str, Value]:
    """DescribeKeyPairs: the caller's own; those of gateways only for administrators."""
    found = [
        pair
        for pair in key_pairs.find(request.tx, request.context.user_id)
        if request.context.is_admin or not pair.name.endswith(VPN_SUFFIX)
    ]
    wanted = request.many("KeyName")
    for name in wanted:
        if name not in {pair.name for pair in found}:
            raise Ec2Refusal("InvalidKeyPair.NotFound", f"The key pair '{name[:64]}' does not exist.")
    chosen = [pair for pair in found if not wanted or pair.name in wanted]
    return {"keySet": [_view(pair) for pair in narrowed(chosen, request.many("Filter"), _READERS)]}


def create(request: Ec2Request) -> Mapping[str, Value]:
    """CreateKeyPair: the private key is in the answer and nowhere else."""
    public, private = request.cloud.run_blocking(actions.generate)
    return {**_view(_record(request, public)), "keyMaterial": private.reveal()}


def import_(request: Ec2Request) -> Mapping[str, Value]:
    """ImportKeyPair"""
    try:
        material = base64.b64decode("".join(request.text("PublicKeyMaterial").split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise Ec2Refusal("InvalidKeyPair.Format", "PublicKeyMaterial is not base64 of an OpenSSH key.") from None
    return _view(_record(request, material))


def delete(request: Ec2Request) -> Mapping[str, Value]:
    """DeleteKeyPair: true also for one that is not there."""
    try:
        actions.delete(
            request.cloud,
            request.tx,
            request.context,
            name=request.text("KeyName"),
            user_id=request.context.user_id,
        )
    except NotFound:
        return {"return": True}
    return {"return": True}


def _record(request: Ec2Request, public: str) -> KeyPair:
    name = request.text("KeyName")
    if not _NAME.fullmatch(name):
        raise Ec2Refusal("InvalidParameterValue", "KeyName has up to 255 letters, digits, spaces, - and _.")
    with request.cloud.db.transaction() as tx:
        return actions.create(
            request.cloud, tx, request.context, name=name, user_id=request.context.user_id, public_key=public
        )


def _view(pair: KeyPair) -> dict[str, Value]:
    return {"keyName": pair.name, "keyFingerprint": pair.fingerprint}


ACTIONS = (
    Ec2Action(
        name="DescribeKeyPairs",
        handler=describe,
        policy=PREFIX + "os-keypairs:index",
        parameters=(Many(Text("KeyName")), FILTERS, Flag("IncludePublicKey")),
    ),
    Ec2Action(
        name="CreateKeyPair",
        handler=create,
        policy=actions.CREATE_RULE,
        parameters=(NAME, Text("KeyType", choices=("rsa",)), Text("KeyFormat", choices=("pem",))),
        tx=Tx.NONE,
    ),
    Ec2Action(
        name="ImportKeyPair",
        handler=import_,
        policy=actions.CREATE_RULE,
        parameters=(NAME, Text("PublicKeyMaterial", required=True, most=2 * actions.MAX_PUBLIC_KEY)),
        tx=Tx.NONE,
    ),
    Ec2Action(name="DeleteKeyPair", handler=delete, policy=actions.DELETE_RULE, parameters=(NAME,), tx=Tx.WRITE),
)
