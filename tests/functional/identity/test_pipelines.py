# SPDX-License-Identifier: Apache-2.0
"""The pipelines of api-paste.ini lead to the identity and image APIs."""

from __future__ import annotations

from pathlib import Path

from paste.deploy import loadapp

from nova.api.cloud import deploying
from tests.functional.cloud import SmallCloud, password_auth, send

PASTE = Path(__file__).parents[3] / "etc" / "nova" / "api-paste.ini"


def test_a_token_from_the_identity_pipeline_opens_the_image_pipeline(tmp_path: Path) -> None:
    cloud = SmallCloud(store=tmp_path / "store")
    with deploying(cloud.cloud):
        identity, image = (loadapp(f"config:{PASTE}", name=name) for name in ("identity", "image"))
    answer = send(identity, "POST", "/v3/auth/tokens", body=password_auth("alice"))
    assert answer.status_int == 201
    token = answer.headers["X-Subject-Token"]
    assert send(image, "GET", "/v2/images", token=token).json["images"] == []
    refused = send(image, "GET", "/v2/images")
    assert refused.status_int == 401
    assert refused.json["error"]["title"] == "Unauthorized"
