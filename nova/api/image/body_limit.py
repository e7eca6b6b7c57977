# SPDX-License-Identifier: Apache-2.0
"""Bounds bodies at the image API's door: images by the size cap of the store, all others as everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from nova.api.cloud import deployed
from nova.api.dispatch import Environ, StartResponse
from nova.api.middleware.size_limit import SizeLimit

_DATA = re.compile(r"/v2/images/[0-9a-f-]{36}/(file|stage)/?")


def filter_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    settings = deployed().settings
    return lambda app: ImageBodyLimit(app, limit=settings.max_body_bytes, image_limit=settings.image_size_cap)


class ImageBodyLimit:
    """See the module."""

    def __init__(self, app: Any, *, limit: int, image_limit: int) -> None:
        self._usual = SizeLimit(app, limit=limit)
        self._image = SizeLimit(app, limit=image_limit)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        is_data = environ["REQUEST_METHOD"] == "PUT" and _DATA.fullmatch(environ.get("PATH_INFO", ""))
        return (self._image if is_data else self._usual)(environ, start_response)
