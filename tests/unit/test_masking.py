# SPDX-License-Identifier: Apache-2.0
"""The second net for secrets in text."""

import time

import pytest

from nova.masking import mask_argv, mask_text, mask_url, printable


@pytest.mark.parametrize(
    "text",
    [
        "mysql://nova:hunter2@db/nova",
        "amqp://u:hunter2@h:5672//",
        "amqp://u:hunt@er2hunter2@h/",
        "{'adminPass': 'hunter2'}",
        '{"auth_password": "a\\"hunter2"}',
        "password=hunter2",
        "X-Auth-Token: hunter2",
        "admin_token = hunter2",
        "node.session.auth.password = hunter2",
        "('node.session.auth.password', 'hunter2')",
        "<adminPass>hunter2</adminPass>",
    ],
)
def test_a_secret_in_text_is_masked(text: str) -> None:
    assert "hunter2" not in mask_text(text)
    assert "***" in mask_text(text)


@pytest.mark.parametrize(
    "part",
    [
        *(
            "a",
            "a-",
            "'",
            "'a",
            "<a",
            "password",
            "-password",
            "token=",
            "token= ",
            "<password>",
            "<token",
            "://:",
            "x://",
        ),
        *(
            "http://a:",
            "a.",
            "'password'",
            "'token',",
            'token="',
            "token='\\\\",
            "password ",
            "secret\t",
            "x://a:b@",
            "@",
        ),
    ],
)
def test_no_text_of_a_stranger_takes_long(part: str) -> None:
    text = (part * 8192)[:8192]
    started = time.thread_time()
    mask_text(text)
    mask_argv([text, "-" + text])
    assert time.thread_time() - started < 0.5


def test_the_rest_of_the_text_stays() -> None:
    assert mask_url("connect mysql://nova:x@db/nova failed") == "connect mysql://nova:***@db/nova failed"
    assert mask_text("server 1234 on host-a") == "server 1234 on host-a"


def test_the_word_after_a_secret_option_is_masked() -> None:
    assert mask_argv(["x", "--admin-password", "hunter2", "-v", "hello"]) == "x --admin-password *** -v hello"


def test_what_is_printed_is_one_bounded_line() -> None:
    assert printable("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert printable("x" * 3000, 10) == "x" * 10 + "…"
