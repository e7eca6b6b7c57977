# SPDX-License-Identifier: Apache-2.0
"""What the bodies of servers look like, by microversion."""

from __future__ import annotations

from nova.api.actions.user_data import MAX_USER_DATA
from nova.api.parameter_types import (
    ADMIN_PASSWORD,
    BOOLEAN,
    FLAVOR_REF,
    IMAGE_REF,
    IPV4,
    IPV6,
    LOOSE_NAME,
    METADATA,
    NAME,
    NULL,
    TEXT,
    TEXT_OR_NULL,
    UUID,
    closed,
    envelope,
    integer,
)
from nova.api.schema import Schema

MAX_LIST = 128
_TEXT_255: Schema = {**TEXT, "maxLength": 255}
_DEVICE: Schema = {"type": ["string", "null"], "maxLength": 255, "pattern": r"^(/dev/)?[a-zA-Z0-9]+$(?!\n)"}
_TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": r"^[^,/\x00-\x1f]+$(?!\n)"}
_ADDRESS_OR_NONE: Schema = {"type": ["string", "null"], "maxLength": 45}
DISK_CONFIG: Schema = {"enum": ["AUTO", "MANUAL"]}

FILES: Schema = {
    "type": "array",
    "maxItems": MAX_LIST,
    "items": closed(
        {
            "path": {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": r"^[^\x00-\x1f\x7f]+$(?!\n)"},
            "contents": {"type": "string"},
        },
        "path",
        "contents",
    ),
}

_NETWORK: dict[str, Schema] = {
    "uuid": {"type": ["string", "null"], "maxLength": 64},
    "fixed_ip": {"type": ["string", "null"], "maxLength": 45},
    "port": {"type": ["string", "null"], "maxLength": 64},
}
NETWORKS: Schema = {"type": ["array", "null"], "maxItems": MAX_LIST, "items": closed(_NETWORK)}
TAGGED_NETWORKS: Schema = {**NETWORKS, "items": closed({**_NETWORK, "tag": _TAG})}

_BLOCK_DEVICE: dict[str, Schema] = {
    "virtual_name": _TEXT_255,
    "volume_id": {"type": ["string", "null"], "maxLength": 64},
    "snapshot_id": {"type": ["string", "null"], "maxLength": 64},
    "volume_size": {
        **integer(0),
        "type": ["integer", "string", "null"],
        "pattern": r"^[0-9]{0,19}$(?!\n)",
        "minLength": 0,
    },
    "device_name": {**_TEXT_255, "type": ["string", "null"]},
    "delete_on_termination": BOOLEAN,
    "no_device": {},
    "connection_info": {"type": ["string", "null"], "maxLength": 4096},
}
BLOCK_DEVICES: Schema = {"type": ["array", "null"], "maxItems": MAX_LIST, "items": closed(_BLOCK_DEVICE)}

_BLOCK_DEVICE_V2: dict[str, Schema] = {
    "source_type": {"enum": ["volume", "image", "snapshot", "blank"]},
    "uuid": {"type": ["string", "null"], "maxLength": 64},
    "image_id": {"type": ["string", "null"], "maxLength": 64},
    "volume_id": {"type": ["string", "null"], "maxLength": 64},
    "snapshot_id": {"type": ["string", "null"], "maxLength": 64},
    "destination_type": {"enum": ["local", "volume", "", None]},
    "boot_index": {"type": ["integer", "string", "null"], "pattern": r"^-?[0-9]{1,9}$(?!\n)", "maximum": 2**31 - 1},
    "volume_size": {
        **integer(1),
        "type": ["integer", "string", "null"],
        "pattern": r"^[0-9]{0,19}$(?!\n)",
        "minLength": 0,
    },
    "device_name": _DEVICE,
    "device_type": {"type": ["string", "null"], "maxLength": 16},
    "disk_bus": {"type": ["string", "null"], "maxLength": 16},
    "guest_format": {"type": ["string", "null"], "maxLength": 32},
    "delete_on_termination": BOOLEAN,
    "no_device": BOOLEAN,
}
BLOCK_DEVICES_V2: Schema = {
    "type": ["array", "null"],
    "maxItems": MAX_LIST,
    "items": closed(_BLOCK_DEVICE_V2, "source_type"),
}
TAGGED_BLOCK_DEVICES_V2: Schema = {
    **BLOCK_DEVICES_V2,
    "items": closed({**_BLOCK_DEVICE_V2, "tag": _TAG}, "source_type"),
}

_HINT: Schema = {
    "type": ["string", "number", "boolean", "null", "array"],
    "maxLength": 4096,
    "maxItems": 100,
    "items": {"type": ["string", "number", "boolean"], "maxLength": 255},
}
_IDS: Schema = {
    "type": ["string", "array"],
    "maxLength": 255,
    "maxItems": 100,
    "items": {"type": "string", "maxLength": 255},
}
HINTS: Schema = {
    "type": ["object", "null"],
    "maxProperties": 32,
    "propertyNames": {"maxLength": 255},
    "properties": {
        "group": UUID,
        "different_host": _IDS,
        "same_host": _IDS,
        "different_cell": _IDS,
        "query": {"type": ["string", "array"], "maxLength": 4096, "maxItems": 100},
        "target_cell": {"type": "string", "maxLength": 255},
        "build_near_host_ip": IPV4,
        "cidr": {"type": "string", "pattern": r"^/[0-9]{1,2}$(?!\n)"},
    },
    "additionalProperties": _HINT,
}

_CREATE: dict[str, Schema] = {
    "name": NAME,
    "flavorRef": FLAVOR_REF,
    "imageRef": IMAGE_REF,
    "adminPass": {**ADMIN_PASSWORD, "minLength": 1},
    "metadata": METADATA,
    "personality": FILES,
    "networks": NETWORKS,
    "security_groups": {
        "type": "array",
        "maxItems": MAX_LIST,
        "items": closed({"name": {"type": "string", "minLength": 1, "maxLength": 255}}, "name"),
    },
    "key_name": {"type": ["string", "null"], "minLength": 1, "maxLength": 255},
    "user_data": {"type": "string", "maxLength": MAX_USER_DATA},
    "config_drive": BOOLEAN,
    "availability_zone": {**_TEXT_255, "type": ["string", "null"]},
    "min_count": integer(1),
    "max_count": integer(1),
    "return_reservation_id": BOOLEAN,
    "OS-DCF:diskConfig": DISK_CONFIG,
    "accessIPv4": IPV4,
    "accessIPv6": IPV6,
    "block_device_mapping": BLOCK_DEVICES,
    "block_device_mapping_v2": BLOCK_DEVICES_V2,
}
_REQUIRED = ("name", "flavorRef")
_HINT_KEYS: dict[str, Schema] = {"os:scheduler_hints": HINTS, "OS-SCH-HNT:scheduler_hints": HINTS}

CREATE = envelope("server", closed(_CREATE, *_REQUIRED), others=_HINT_KEYS)
CREATE_V19 = envelope("server", closed({**_CREATE, "description": TEXT_OR_NULL}, *_REQUIRED), others=_HINT_KEYS)
CREATE_V32 = envelope(
    "server",
    closed(
        {
            **_CREATE,
            "description": TEXT_OR_NULL,
            "networks": TAGGED_NETWORKS,
            "block_device_mapping_v2": TAGGED_BLOCK_DEVICES_V2,
        },
        *_REQUIRED,
    ),
    others=_HINT_KEYS,
)
CREATE_LEGACY = envelope(
    "server",
    closed(
        {
            **_CREATE,
            "name": LOOSE_NAME,
            "user_data": {"type": ["string", "null"], "maxLength": MAX_USER_DATA},
            "accessIPv4": _ADDRESS_OR_NONE,
            "accessIPv6": _ADDRESS_OR_NONE,
            "adminPass": {**ADMIN_PASSWORD, "type": ["string", "null"]},
        },
        *_REQUIRED,
    ),
    others=_HINT_KEYS,
)
"""What /v2 and /v1.1 take."""

_UPDATE: dict[str, Schema] = {"name": NAME, "OS-DCF:diskConfig": DISK_CONFIG, "accessIPv4": IPV4, "accessIPv6": IPV6}
UPDATE = envelope("server", closed(_UPDATE))
UPDATE_V19 = envelope("server", closed({**_UPDATE, "description": TEXT_OR_NULL}))
UPDATE_LEGACY = envelope(
    "server",
    closed({**_UPDATE, "name": LOOSE_NAME, "accessIPv4": _ADDRESS_OR_NONE, "accessIPv6": _ADDRESS_OR_NONE}),
)

REBOOT = envelope("reboot", closed({"type": {"enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}}, "type"))
START = envelope("os-start", NULL)
STOP = envelope("os-stop", NULL)
PAUSE = envelope("pause", NULL)
UNPAUSE = envelope("unpause", NULL)
SUSPEND = envelope("suspend", NULL)
RESUME = envelope("resume", NULL)
LOCK = envelope("lock", NULL)
UNLOCK = envelope("unlock", NULL)
RESCUE = envelope(
    "rescue", {**closed({"adminPass": ADMIN_PASSWORD, "rescue_image_ref": IMAGE_REF}), "type": ["object", "null"]}
)
UNRESCUE = envelope("unrescue", NULL)
RESET_STATE = envelope("os-resetState", closed({"state": {"enum": ["active", "error"]}}, "state"))
_NOTHING: Schema = {**closed({}), "type": ["object", "null"]}
FORCE_DELETE = envelope("forceDelete", _NOTHING)
RESTORE = envelope("restore", _NOTHING)
RESET_NETWORK = envelope("resetNetwork", NULL)
INJECT_NETWORK_INFO = envelope("injectNetworkInfo", NULL)
CONSOLE_OUTPUT = envelope(
    "os-getConsoleOutput",
    {
        **closed(
            {"length": {"type": ["integer", "string", "null"], "minimum": -1, "pattern": r"^(-1|[0-9]{1,9})$(?!\n)"}}
        ),
        "type": ["object", "null"],
    },
)
_GROUP_NAME = closed({"name": {"type": "string", "minLength": 1, "maxLength": 255}}, "name")
ADD_SECURITY_GROUP = envelope("addSecurityGroup", _GROUP_NAME)
REMOVE_SECURITY_GROUP = envelope("removeSecurityGroup", _GROUP_NAME)
