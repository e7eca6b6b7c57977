# SPDX-License-Identifier: Apache-2.0
"""The second net for secrets in text: command lines, URLs and error output before they reach a log.

The first net is that secrets are never put there: they have a type of their own and are not given as arguments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "***"

# A line of 8 kB from a stranger must cost no time: each word is looked at once, and nothing is tried a second time.
_NAMES = r"(?:password|passwd|passphrase|secret|token|adminpass|admin_pass|auth_key|private_key)"
_SECRET_WORD = rf"(?<![\w.-])(?=[\w.-]*?{_NAMES})[\w.-]++"
_URL = re.compile(r"(?P<head>(?<![a-z0-9+.-])[a-z0-9+.-]++://[^\s/@:]*+:)\S*@", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"(?P<head>{_SECRET_WORD}(?:[\"']?\s*+[=:]|[\"'],)\s*+)"
    r"(?:\"(?:[^\"\\]++|\\.)*+\"|'(?:[^'\\]++|\\.)*+'|[^\s,;&}]++)",
    re.IGNORECASE,
)
_ELEMENT = re.compile(rf"(?P<head><(?P<name>{_SECRET_WORD})[^<>]*+>)[^<>]*+(?=</(?P=name)>)", re.IGNORECASE)
_OPTION = re.compile(rf"-{{1,2}}(?=[\w-]*?{_NAMES})[\w-]++", re.IGNORECASE)


def mask_text(text: str) -> str:
    """*text* with URL passwords and the values of everything that is called a password, secret or token replaced."""
    masked = rf"\g<head>{MASK}"
    return _ELEMENT.sub(masked, _ASSIGNED.sub(masked, mask_url(text)))


def mask_url(text: str) -> str:
    """*text* with the password part of every URL in it replaced (up to the last ``@`` before a blank)."""
    return _URL.sub(rf"\g<head>{MASK}@", text)


def mask_argv(argv: Sequence[str]) -> str:
    """One printable line for a command: control characters escaped, and secrets that should not be there masked."""
    words = []
    hide_next = False
    for word in argv:
        words.append(MASK if hide_next else mask_text(word))
        hide_next = _OPTION.fullmatch(word) is not None
    return " ".join(printable(word) for word in words)


def printable(text: str, limit: int = 2000) -> str:
    """*text* for one log line: line breaks and control characters as escapes, at most *limit* characters."""
    clean = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text[:limit])
    return clean if len(text) <= limit else f"{clean}…"
