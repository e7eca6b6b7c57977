# SPDX-License-Identifier: Apache-2.0
"""/os-keypairs."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.functional.compute_cloud import ADMIN, BOB, ComputeCloud


def public(kind: str) -> str:
    key = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    raw = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{raw.decode()} alice@home"


def test_a_made_key_fits_its_public_half_and_is_shown_once(cloud: ComputeCloud) -> None:
    made = cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "mine"}})["keypair"]
    private = serialization.load_pem_private_key(made["private_key"].encode(), password=None)
    raw = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert made["public_key"].split()[:2] == raw.decode().split()[:2]
    digest = hashlib.md5(base64.b64decode(made["public_key"].split()[1]), usedforsecurity=False).hexdigest()
    assert made["fingerprint"].replace(":", "") == digest
    assert "private_key" not in cloud.ok("GET", "/os-keypairs/mine")["keypair"]


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_key_of_ones_own_is_taken(cloud: ComputeCloud, kind: str) -> None:
    key = public(kind)
    made = cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "own", "public_key": key}})["keypair"]
    assert made["public_key"] == key
    assert "private_key" not in made


@pytest.mark.parametrize(
    "keypair",
    [
        {"name": "x", "public_key": "ssh-rsa AAAA"},
        {"name": "x", "public_key": "rubbish"},
        {"name": "x", "public_key": ""},
        {"name": "x", "public_key": "ssh-ed25519 AAAA\nssh-rsa BBBB"},
        {"name": "no/slash"},
        {"name": ""},
        {"name": "a" * 256},
        {"name": "x", "type": "ssh"},
        {},
    ],
)
def test_wrong_keys_and_names_are_refused(cloud: ComputeCloud, keypair: dict[str, str]) -> None:
    assert cloud.refused("POST", "/os-keypairs", {"keypair": keypair}, status=400)


def test_microversions_change_codes_and_keys(cloud: ComputeCloud) -> None:
    cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "one"}}, status=200)
    made = cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "two", "type": "ssh"}}, status=201, version="2.2")
    assert made["keypair"]["type"] == "ssh"
    assert cloud.call("DELETE", "/os-keypairs/one").status_int == 202
    assert cloud.call("DELETE", "/os-keypairs/two", version="2.2").status_int == 204
    x509 = {"keypair": {"name": "x", "type": "x509", "public_key": "x"}}
    assert cloud.refused("POST", "/os-keypairs", x509, status=400, version="2.2")


def test_keys_belong_to_users(cloud: ComputeCloud) -> None:
    cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "mine"}})
    assert cloud.ok("GET", "/os-keypairs", who=BOB) == {"keypairs": []}
    assert cloud.refused("GET", "/os-keypairs/mine", status=404, who=BOB)
    assert cloud.refused("DELETE", "/os-keypairs/mine", status=404, who=BOB)
    assert cloud.refused("GET", "/os-keypairs?user_id=alice", status=403, who=BOB, version="2.10")
    listed = cloud.ok("GET", "/os-keypairs?user_id=alice", who=ADMIN, version="2.10")["keypairs"]
    assert [each["keypair"]["name"] for each in listed] == ["mine"]


def test_a_name_is_given_once_and_the_quota_counts(cloud: ComputeCloud) -> None:
    key = public("ed25519")
    cloud.cloud.settings.default_quotas["key_pairs"] = 2
    for name in ("a", "b"):
        cloud.ok("POST", "/os-keypairs", {"keypair": {"name": name, "public_key": key}})
    assert cloud.refused("POST", "/os-keypairs", {"keypair": {"name": "c", "public_key": key}}, status=403)
    cloud.call("DELETE", "/os-keypairs/b")
    assert cloud.refused("POST", "/os-keypairs", {"keypair": {"name": "a", "public_key": key}}, status=409)
    cloud.ok("POST", "/os-keypairs", {"keypair": {"name": "c", "public_key": key}})


def test_from_235_on_the_list_has_pages(cloud: ComputeCloud) -> None:
    key = public("ed25519")
    for name in ("c", "a", "b"):
        cloud.ok("POST", "/os-keypairs", {"keypair": {"name": name, "public_key": key}})
    page = cloud.ok("GET", "/os-keypairs?limit=2", version="2.35")
    assert [each["keypair"]["name"] for each in page["keypairs"]] == ["a", "b"]
    assert page["keypairs_links"][0]["href"].endswith("marker=b")
    assert cloud.refused("GET", "/os-keypairs?marker=z", status=400, version="2.35")
