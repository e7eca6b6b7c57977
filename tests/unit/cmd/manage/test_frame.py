# SPDX-License-Identifier: Apache-2.0
"""How words become an action's arguments."""

from __future__ import annotations

import pytest

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category, WrongUsage, boolean, find, read


def even(word: str) -> int:
    if int(word) % 2:
        raise errors.InvalidInput("an even number is expected")
    return int(word)


DRAW = Action(
    "draw",
    lambda operator, **values: None,
    "Draw it.",
    (
        Argument("shape", "…", required=True),
        Argument("size", "…", required=True, convert=int, spellings=("width",)),
        Argument("color", "…", default="black"),
        Argument("pairs", "…", default=2, convert=even),
        Argument("fill", "…", default=True, convert=boolean),
        Argument("dry", "…", default=False, is_switch=True, by_place=False),
    ),
)
CATEGORIES = [Category(name, "", ()) for name in ("fixed", "flavor", "floating", "instance_type", "vm", "volume")]
DEFAULTS = {"color": "black", "pairs": 2, "fill": True, "dry": False}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("circle 7", {"shape": "circle", "size": 7}),
        ("--shape circle --size 7", {"shape": "circle", "size": 7}),
        ("--shape=circle --width=7", {"shape": "circle", "size": 7}),
        ("7 --shape circle", {"shape": "circle", "size": 7}),
        ("circle --size 7 red", {"shape": "circle", "size": 7, "color": "red"}),
        ("circle 7 --color=", {"shape": "circle", "size": 7, "color": ""}),
        (
            "circle 7 red 4 F --dry",
            {"shape": "circle", "size": 7, "color": "red", "pairs": 4, "fill": False, "dry": True},
        ),
        ("circle 7 --dry=F", {"shape": "circle", "size": 7}),
        ("circle -1", {"shape": "circle", "size": -1}),
        ("-- --odd 7", {"shape": "--odd", "size": 7}),
        ("b=c 7", {"shape": "b=c", "size": 7}),
    ],
)
def test_arguments_are_given_by_place_by_option_or_both(words: str, values: dict[str, object]) -> None:
    assert read(DRAW, words.split()) == {**DEFAULTS, **values}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "2 arguments are missing: shape, size"),
        ("circle", "An argument is missing: size"),
        ("circle 7 red 4 T more words", "too many arguments: more words"),
        ("circle 7 --weight 3", "no such option: --weight"),
        ("circle 7 --color", "--color needs a value"),
        ("circle wide", "size: 'wide' is not valid"),
        ("circle 7 red 3", "pairs: an even number is expected"),
        ("circle 7 red 4 maybe", "fill: 'maybe' is not valid: expected T or F"),
    ],
)
def test_words_that_do_not_fit_are_refused(words: str, sentence: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        read(DRAW, words.split())
    assert sentence in str(caught.value)
    assert caught.value.code == 1


@pytest.mark.parametrize(
    ("word", "name"),
    [("flavor", "flavor"), ("FLAV", "flavor"), ("fi", "fixed"), ("instance-type", "instance_type"), ("vo", "volume")],
)
def test_names_may_be_shortened_to_a_unique_beginning(word: str, name: str) -> None:
    assert find(word, CATEGORIES, what="options").name == name


def test_a_beginning_of_several_names_lists_them() -> None:
    with pytest.raises(WrongUsage) as caught:
        find("fl", CATEGORIES, what="options")
    assert str(caught.value) == "fl matched multiple options:\n\tflavor\n\tfloating"
    assert caught.value.code == 2


def test_a_word_that_begins_nothing_lists_all() -> None:
    with pytest.raises(WrongUsage, match="image does not match any options:\n\tfixed\n") as caught:
        find("image", CATEGORIES, what="options")
    assert caught.value.code == 2
    assert str(caught.value).count("\n\t") == len(CATEGORIES)


def test_a_whole_name_wins_over_names_that_begin_with_it() -> None:
    assert find("vm", [*CATEGORIES, Category("vm_more", "", ())], what="options").name == "vm"


def test_the_usage_shows_what_must_and_what_may_be_given() -> None:
    assert DRAW.usage() == "draw <shape> <size> [color] [pairs] [fill] [--dry]"
