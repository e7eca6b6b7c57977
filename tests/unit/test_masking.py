# SPDX-License-Identifier: Apache-2.0
"""The second net for secrets in text."""

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
    ],
)
def test_a_secret_in_text_is_masked(text: str) -> None:
    assert "hunter2" not in mask_text(text)
    assert "***" in mask_text(text)


def test_the_rest_of_the_text_stays() -> None:
    assert mask_url("connect mysql://nova:x@db/nova failed") == "connect mysql://nova:***@db/nova failed"
    assert mask_text("server 1234 on host-a") == "server 1234 on host-a"


def test_the_word_after_a_secret_option_is_masked() -> None:
    assert mask_argv(["x", "--admin-password", "hunter2", "-v", "hello"]) == "x --admin-password *** -v hello"


def test_what_is_printed_is_one_bounded_line() -> None:
    assert printable("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert printable("x" * 3000, 10) == "x" * 10 + "…"
