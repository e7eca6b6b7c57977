# SPDX-License-Identifier: Apache-2.0
"""What the bodies of requests that move servers look like, by microversion."""

from __future__ import annotations

from nova.api.osapi.server_schema import DISK_CONFIG
from nova.api.parameter_types import ADMIN_PASSWORD, BOOLEAN, FLAVOR_REF, NULL, closed, envelope
from nova.api.schema import Schema

_HOST: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[a-zA-Z0-9-._]*$(?!\n)"}
_HOST_OR_NONE: Schema = {**_HOST, "type": ["string", "null"]}
_OR_AUTO: Schema = {"anyOf": [BOOLEAN, {"enum": ["auto"]}]}

RESIZE = envelope("resize", closed({"flavorRef": FLAVOR_REF, "OS-DCF:diskConfig": DISK_CONFIG}, "flavorRef"))
CONFIRM = envelope("confirmResize", NULL)
REVERT = envelope("revertResize", NULL)
MIGRATE = envelope("migrate", NULL)

_LIVE: dict[str, Schema] = {"host": _HOST_OR_NONE, "block_migration": BOOLEAN, "disk_over_commit": BOOLEAN}
_LIVE_V25: dict[str, Schema] = {"host": _HOST_OR_NONE, "block_migration": _OR_AUTO}
LIVE = envelope("os-migrateLive", closed(_LIVE, "host", "block_migration", "disk_over_commit"))
LIVE_V25 = envelope("os-migrateLive", closed(_LIVE_V25, "host", "block_migration"))
LIVE_V30 = envelope("os-migrateLive", closed({**_LIVE_V25, "force": BOOLEAN}, "host", "block_migration"))

_EVACUATE: dict[str, Schema] = {"host": _HOST, "adminPass": ADMIN_PASSWORD}
EVACUATE = envelope("evacuate", closed({**_EVACUATE, "onSharedStorage": BOOLEAN}, "onSharedStorage"))
EVACUATE_V14 = envelope("evacuate", closed(_EVACUATE))
EVACUATE_V29 = envelope("evacuate", closed({**_EVACUATE, "force": BOOLEAN}))
