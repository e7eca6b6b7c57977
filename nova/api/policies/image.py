# SPDX-License-Identifier: Apache-2.0
"""Rules of the built-in image API.  Ownership is asked besides: nobody changes what another project owns."""

from __future__ import annotations

from nova.api.policies.base import ADMIN, READER, SERVER_USER
from nova.api.policies.rule import Rule

_PREFIX = "image:"

RULES = (
    Rule(f"{_PREFIX}get_images", READER, "List the images that one sees."),
    Rule(f"{_PREFIX}get_image", READER, "Show an image."),
    Rule(f"{_PREFIX}download_image", READER, "Read an image's bytes."),
    Rule(f"{_PREFIX}add_image", SERVER_USER, "Make an image."),
    Rule(f"{_PREFIX}modify_image", SERVER_USER, "Change an image's description."),
    Rule(f"{_PREFIX}upload_image", SERVER_USER, "Send an image's bytes."),
    Rule(f"{_PREFIX}delete_image", SERVER_USER, "Remove an image."),
    Rule(f"{_PREFIX}get_members", READER, "See with whom an image is shared."),
    Rule(f"{_PREFIX}modify_members", SERVER_USER, "Share an image, accept and reject one."),
    Rule(f"{_PREFIX}deactivate", ADMIN, "Take an image out of use, and back."),
)
