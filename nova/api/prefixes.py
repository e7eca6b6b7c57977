# SPDX-License-Identifier: Apache-2.0
"""A composite for api-paste.ini: applications by the beginning of the path, the longest that fits first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nova.api.dispatch import Environ, StartResponse


def composite_factory(loader: Any, global_conf: dict[str, str], **local_conf: str) -> Prefixes:
    """``/v2.1 = name of the application`` lines."""
    return Prefixes({path: loader.get_app(name, global_conf=global_conf) for path, name in local_conf.items()})


class Prefixes:
    """See the module."""

    def __init__(self, apps: dict[str, Callable[..., Any]]) -> None:
        cleaned = ((path.rstrip("/"), app) for path, app in apps.items())
        self._apps = sorted(cleaned, key=lambda pair: -len(pair[0]))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        prefix, app = self._choose(path)
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
        environ["PATH_INFO"] = path[len(prefix) :]
        answer: Iterable[bytes] = app(environ, start_response)
        return answer

    def _choose(self, path: str) -> tuple[str, Callable[..., Any]]:
        for prefix, app in self._apps:
            if path == prefix or path.startswith(prefix + "/"):
                return prefix, app
        return "", self._apps[-1][1]
