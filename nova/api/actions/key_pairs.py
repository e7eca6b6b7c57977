# SPDX-License-Identifier: Apache-2.0
"""Make, import and delete key pairs.  A private key is made here, shown once and kept nowhere.

The library behind the keys is loaded with the first of them: it takes 8 MB, and 13 ms of each start.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import key_pairs, quota_limits
from nova.db.engine import Transaction
from nova.domain.instance import KeyPair
from nova.errors import InvalidInput
from nova.secret import Secret

CREATE_RULE = PREFIX + "os-keypairs:create"
DELETE_RULE = PREFIX + "os-keypairs:delete"
RSA_BITS = 2048
MAX_PUBLIC_KEY = 16384


def generate() -> tuple[str, Secret]:
    """A new RSA key: the public one as sshd reads it, the private one as ssh does (PEM, which every client takes)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    public = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return f"{public.decode()}", Secret(pem.decode())


def fingerprint(public_key: str) -> str:
    """MD5 of the key's bytes, as ssh-keygen shows it; InvalidInput for text that is no OpenSSH public key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    words = public_key.split()
    try:
        if len(public_key) > MAX_PUBLIC_KEY or "\n" in public_key.strip():
            raise ValueError
        load_ssh_public_key(public_key.strip().encode())
        blob = base64.b64decode(words[1], validate=True)
    except (ValueError, IndexError, UnsupportedAlgorithm, binascii.Error):
        raise InvalidInput(
            "Invalid input for public_key: it is not one OpenSSH public key.", field="public_key"
        ) from None
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def create(
    cloud: Cloud, tx: Transaction, context: RequestContext, *, name: str, user_id: str, public_key: str
) -> KeyPair:
    """Record a public key for a user; AlreadyExists, QuotaExceeded, InvalidInput."""
    cloud.policy.authorize(context, CREATE_RULE)
    defaults = cloud.settings.default_quotas
    limit = quota_limits.effective(tx, context.project_id, user_id=user_id, defaults=defaults)["key_pairs"]
    pair = KeyPair(name=name, user_id=user_id, public_key=public_key.strip(), fingerprint=fingerprint(public_key))
    return key_pairs.create(tx, pair, limit=limit)


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, *, name: str, user_id: str) -> None:
    """Forget a user's key pair; servers keep the key that they were made with."""
    cloud.policy.authorize(context, DELETE_RULE)
    key_pairs.remove(tx, user_id, name)
