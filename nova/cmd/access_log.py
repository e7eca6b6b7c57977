# SPDX-License-Identifier: Apache-2.0
"""The lines that tell who asked what over HTTP, without the secrets that some clients put into paths and queries."""

from __future__ import annotations

import logging
import re

LOG_FORMAT = '%(client_ip)s "%(request_line)s" status: %(status_code)s len: %(body_length)s time: %(wall_seconds).7f'

_TOKEN_IN_PATH = re.compile(r"(/tokens/)[^/?\s]+")
_SECRET_IN_QUERY = re.compile(
    r"([?&](?:token|signature|awsaccesskeyid|x-amz-signature|x-amz-credential|x-amz-security-token|password)=)[^&\s]*",
    re.IGNORECASE,
)


class AccessLog:
    """Where the library logs: at DEBUG, since each application writes its own line for a request; no secrets."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def info(self, text: str, *args: object) -> None:
        """A line for a request, or the trace of an application that failed."""
        if text.startswith("Traceback"):
            self._log.error("A request failed unexpectedly: %s", text)
        else:
            self._log.debug("%s", without_secrets(text))

    write = info

    def debug(self, text: str, *args: object) -> None:
        """A connection came or went."""
        self._log.debug("%s", text)

    def error(self, text: str, *args: object) -> None:
        """A client broke off."""
        self._log.info("%s", without_secrets(text))


def without_secrets(line: str) -> str:
    """A request line with tokens and signatures cut from path and query."""
    return _SECRET_IN_QUERY.sub(r"\1***", _TOKEN_IN_PATH.sub(r"\1***", line))
