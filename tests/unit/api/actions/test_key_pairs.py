# SPDX-License-Identifier: Apache-2.0
"""Fingerprints of public keys."""

from __future__ import annotations

import pytest

from nova.api.actions.key_pairs import fingerprint, generate
from nova.errors import InvalidInput

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


def test_the_comment_does_not_count() -> None:
    assert fingerprint(KEY) == fingerprint(f"{KEY} someone@somewhere")
    assert fingerprint(KEY) == "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd"


def test_a_made_key_is_a_key() -> None:
    public, private = generate()
    assert len(fingerprint(public).split(":")) == 16
    assert private.reveal().startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert "PRIVATE" not in repr(private)


@pytest.mark.parametrize(
    "text", ["", "x", "ssh-rsa", "ssh-rsa !!", KEY + "\n" + KEY, KEY[:-4], "ssh-dss " + "A" * 20_000]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        fingerprint(text)
