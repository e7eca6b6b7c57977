# SPDX-License-Identifier: Apache-2.0
"""What a user hands to his server's first boot: base64, as it stays until the metadata service decodes it."""

from __future__ import annotations

import base64
import binascii

from nova.errors import InvalidInput

MAX_USER_DATA = 65535
"""Characters"""


def checked_user_data(text: str) -> str:
    """*text* if it is base64."""
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("Invalid input for user_data: it is not base64.", field="user_data") from None
    return text
