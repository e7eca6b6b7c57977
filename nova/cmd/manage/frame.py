# SPDX-License-Identifier: Apache-2.0
"""How a category of nova-manage is declared, and how its words are read.

    CATEGORY = Category("host", "Hosts of this cloud.", (Action("list", list_hosts, "…", (Argument("zone", "…"),)),))

Every argument can be given by option (``--zone nova``) or by place, in the order of the declaration; both may be mixed:
words without an option fill the arguments that no option named.  Categories and actions may be shortened to a unique
beginning.  Sources: the administration manuals' nova-manage pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nova import errors

Values = dict[str, Any]


class WrongUsage(Exception):
    """The words do not fit; the message and the usage are printed, and the command ends with ``code``."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; ``spellings`` are further option names; ``convert`` raises ValueError for a word that is wrong."""

    name: str
    help: str
    required: bool = False
    default: Any = None
    convert: Callable[[str], Any] = str
    spellings: tuple[str, ...] = ()
    by_place: bool = True
    """Whether it may be given without its option's name"""
    is_switch: bool = False
    """An option that takes no value and means True"""

    @property
    def options(self) -> tuple[str, ...]:
        """All names of the option, without dashes, with underscores."""
        return (self.name, *self.spellings)


@dataclass(frozen=True, slots=True)
class Action:
    """One action: ``run(operator, **values)`` prints, and returns an exit code or None for 0."""

    name: str
    run: Callable[..., int | None]
    help: str
    arguments: tuple[Argument, ...] = ()
    spellings: tuple[str, ...] = ()

    def usage(self) -> str:
        """The line that shows how it is called."""
        words = [f"<{a.name}>" if a.required else f"[{a.name}]" for a in self.arguments if a.by_place]
        options = [f"[--{a.name}]" for a in self.arguments if not a.by_place]
        return " ".join([self.name, *words, *options])


@dataclass(frozen=True, slots=True)
class Category:
    """A group of actions."""

    name: str
    help: str
    actions: tuple[Action, ...]
    spellings: tuple[str, ...] = field(default=())
    default_action: str = ""
    """Run when only the category is given"""


Named = TypeVar("Named", bound=Category | Action)


def boolean(word: str) -> bool:
    """T, true, yes, 1, on and their opposites, in any case."""
    text = word.strip().lower()
    if text in {"t", "true", "yes", "y", "1", "on"}:
        return True
    if text in {"f", "false", "no", "n", "0", "off"}:
        return False
    raise ValueError("expected T or F")


def find(word: str, among: Sequence[Named], *, what: str) -> Named:
    """The one of *among* that *word* names or begins, in any case; WrongUsage with the list otherwise."""
    wanted = word.lower().replace("-", "_")
    for entry in among:
        if wanted in (entry.name, *entry.spellings):
            return entry
    matching: list[Named] = [entry for entry in among if _begins(wanted, (entry.name, *entry.spellings))]
    if len(matching) == 1:
        return matching[0]
    names = "\n".join(f"\t{entry.name}" for entry in (matching or list(among)))
    problem = f"{word} matched multiple {what}" if matching else f"{word} does not match any {what}"
    raise WrongUsage(f"{problem}:\n{names}", code=2)


def _begins(wanted: str, names: tuple[str, ...]) -> bool:
    return any(name.startswith(wanted) for name in names)


def read(action: Action, words: Sequence[str]) -> Values:
    """The values of *action*'s arguments in *words*; WrongUsage where they do not fit."""
    given, places = _split(action, list(words))
    free = [a for a in action.arguments if a.by_place and a.name not in given]
    if len(places) > len(free):
        raise WrongUsage(f"too many arguments: {' '.join(places[len(free) :])}")
    given.update({argument.name: word for argument, word in zip(free, places, strict=False)})
    missing = [a.name for a in action.arguments if a.required and a.name not in given]
    if len(missing) == 1:
        raise WrongUsage(f"An argument is missing: {missing[0]}")
    if missing:
        raise WrongUsage(f"{len(missing)} arguments are missing: {', '.join(missing)}")
    return {a.name: _converted(a, given[a.name]) if a.name in given else a.default for a in action.arguments}


def _split(action: Action, words: list[str]) -> tuple[Values, list[str]]:
    given: Values = {}
    places: list[str] = []
    by_option = {option: argument for argument in action.arguments for option in argument.options}
    while words:
        word = words.pop(0)
        if word == "--":
            places += words
            break
        if not word.startswith("--"):
            places.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        argument = by_option.get(name.replace("-", "_"))
        if argument is None:
            raise WrongUsage(f"no such option: {word}")
        if argument.is_switch and not equals:
            given[argument.name] = "true"
        elif equals:
            given[argument.name] = value
        elif words:
            given[argument.name] = words.pop(0)
        else:
            raise WrongUsage(f"{word} needs a value")
    return given, places


def _converted(argument: Argument, word: str) -> Any:
    try:
        return boolean(word) if argument.is_switch else argument.convert(word)
    except ValueError as error:
        raise WrongUsage(f"{argument.name}: {word!r} is not valid: {error}") from error
    except errors.InvalidInput as error:
        raise WrongUsage(f"{argument.name}: {error.message}") from error
