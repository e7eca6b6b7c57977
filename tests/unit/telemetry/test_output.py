# SPDX-License-Identifier: Apache-2.0
"""Log lines: their form, their place, and what never gets into them."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova import errors
from nova.context import RequestContext
from nova.telemetry.logging import bind
from nova.telemetry.output import JsonFormatter, LineFormatter, LogSettings, set_up

LOG = logging.getLogger("nova.tests.output")


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


def record(message: str, *args: object, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    return LOG.makeRecord(LOG.name, level, __file__, 1, message, args, None, "here", extra)


def test_a_line_inside_a_request_carries_it() -> None:
    context = RequestContext(request_id="req-1", user_id="u1", project_id="p1")
    with bind(context):
        line = LineFormatter(LogSettings()).format(record("did %s", "it", instance_uuid="i-1"))
    assert line.endswith("INFO nova.tests.output [req-1 u1 p1] [instance: i-1] did it")
    assert LineFormatter(LogSettings()).format(record("alone")).endswith("INFO nova.tests.output [-] alone")


def test_an_operators_form_may_name_any_field_and_a_missing_one_is_a_dash() -> None:
    form = "%(user_name)s %(project)s %(nothing)s %(remote_address)s %(message)s"
    with bind(RequestContext(user_name="ann", project_id="p")):
        assert LineFormatter(LogSettings(context_format=form)).format(record("m")) == "ann p - - m"


def test_a_form_that_is_broken_still_logs() -> None:
    assert "hello" in LineFormatter(LogSettings(default_format="%(message)q")).format(record("hello"))


def test_secrets_and_control_characters_do_not_reach_the_log() -> None:
    line = LineFormatter(LogSettings()).format(record("to %s\nfaked", "amqp://u:hunter2@h/"))
    assert "hunter2" not in line
    assert "\n" not in line


def test_a_traceback_has_the_prefix_on_each_line() -> None:
    try:
        raise ValueError("amqp://u:hunter2@h/")
    except ValueError:
        made = LOG.makeRecord(LOG.name, logging.ERROR, __file__, 1, "m", (), sys.exc_info())
    lines = LineFormatter(LogSettings(exception_prefix="TRACE ")).format(made).splitlines()
    assert len(lines) > 3
    assert all(line.startswith("TRACE ") for line in lines[1:])
    assert "hunter2" not in "".join(lines)


def test_a_json_line_is_one_object() -> None:
    with bind(RequestContext(request_id="req-1")):
        shown = json.loads(JsonFormatter().format(record("a\nb")))
    assert (shown["message"], shown["request_id"], shown["level"]) == ("a\nb", "req-1", "INFO")


def test_the_log_goes_to_the_file_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    set_up(LogSettings(file=str(path), file_mode=0o640, levels=("nova.tests.output=WARN",)))
    LOG.warning("loud")
    LOG.info("quiet")
    assert path.read_text().count("\n") == 1
    assert path.stat().st_mode & 0o777 == 0o640
    logging.getLogger("nova.tests.output").setLevel(logging.NOTSET)


def test_a_log_file_that_cannot_be_written_is_said_and_the_log_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(LogSettings(file=str(tmp_path / "missing" / "x.log")))
    LOG.warning("still here")
    shown = capsys.readouterr().err
    assert "missing/x.log cannot be written (No such file or directory)" in shown
    assert "still here" in shown


def test_a_level_or_facility_that_is_none_stops_the_start() -> None:
    for settings in (LogSettings(levels=("a=LOUD",)), LogSettings(syslog_facility="LOG_NOWHERE")):
        with pytest.raises(errors.InvalidConfiguration):
            set_up(settings)


def test_a_python_logging_file_replaces_all(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match="cannot be used"):
        set_up(LogSettings(config_file=str(tmp_path / "none.conf")))


def test_a_very_long_message_is_cut() -> None:
    line = LineFormatter(LogSettings()).format(record("%s", "x" * 1_000_000))
    assert len(line) < 9000
    assert line.endswith("… (1000000 characters)")
