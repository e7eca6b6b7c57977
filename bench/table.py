# SPDX-License-Identifier: Apache-2.0
"""A row of the table, and the table as text and for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEAD = ("what", "ours", "floor", "ratio", "wanted", "met")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that was measured.  Without a wanted value it is there to be known."""

    what: str
    ours: float
    unit: str
    floor: float | None = None
    """The least that the same work can take, measured in the same run, in the same unit"""
    at_most_ratio: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor ours is."""
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether everything that was wanted is so; None where nothing was."""
        checks = []
        if self.at_most_ratio is not None:
            checks.append(self.ratio is not None and self.ratio <= self.at_most_ratio)
        if self.at_most is not None:
            checks.append(self.ours <= self.at_most)
        if self.at_least is not None:
            checks.append(self.ours >= self.at_least)
        return all(checks) if checks else None

    def cells(self) -> tuple[str, ...]:
        """The row as texts, in the order of HEAD."""
        return (
            self.what,
            f"{shown(self.ours)} {self.unit}".strip(),
            f"{shown(self.floor)} {self.unit}".strip() if self.floor is not None else "",
            f"{self.ratio:.2f} x" if self.ratio is not None else "",
            ", ".join(self._wanted()),
            {True: "yes", False: "NO", None: ""}[self.met],
        )

    def _wanted(self) -> Iterator[str]:
        if self.at_most_ratio is not None:
            yield f"at most {self.at_most_ratio:g} x"
        if self.at_most is not None:
            yield f"at most {shown(self.at_most)} {self.unit}".strip()
        if self.at_least is not None:
            yield f"at least {shown(self.at_least)} {self.unit}".strip()


def shown(number: float) -> str:
    """Three digits that matter, and no exponent."""
    if number == 0 or abs(number) >= 100:
        return f"{number:.0f}"
    return f"{number:.3g}"


def as_text(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def as_rst(rows: Sequence[Row]) -> str:
    """The table for the documentation."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in (HEAD, *(row.cells() for row in rows)):
        lines += [f"   {'*' if number == 0 else ' '} - {cell}".rstrip() for number, cell in enumerate(cells)]
    return "\n".join(lines) + "\n"
