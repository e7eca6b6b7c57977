# SPDX-License-Identifier: Apache-2.0
"""Ranges of floating addresses as operators write them: ``192.0.2.0/28`` or a single address.  Pure."""

from __future__ import annotations

import ipaddress

from nova import errors

_MOST = 65536
_WHOLE = 4
"""From this size on the first and last address of a range are not given out."""


def addresses_of(text: str, *, smallest: int = 1) -> list[str]:
    """The addresses of a range that can be given out; all of a range of fewer than four.

    :param smallest: the fewest addresses that a range, other than a single address, may have
    :raises errors.InvalidInput: *text* is no range, or one of fewer than *smallest* or more than 65,536 addresses
    """
    try:
        whole = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise errors.InvalidInput(f"{text[:60]!r} is not a range of IPv4 addresses.", field="ip_range") from None
    if whole.num_addresses > _MOST:
        raise errors.InvalidInput(f"A range has at most {_MOST} addresses.", field="ip_range")
    if "/" in text and whole.num_addresses < smallest:
        raise errors.InvalidInput(f"A range has at least {smallest} addresses.", field="ip_range")
    chosen = whole if whole.num_addresses < _WHOLE else whole.hosts()
    return [str(address) for address in chosen]
