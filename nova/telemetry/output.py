# SPDX-License-Identifier: Apache-2.0
"""Where log lines go and what they look like; set up once, at the start of every daemon and tool.

A log file that cannot be opened is said on stderr, and the log goes there: a daemon never stops for want of a log.
"""

from __future__ import annotations

import json
import logging
import logging.config
import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from logging.handlers import SYSLOG_UDP_PORT
from pathlib import Path
from typing import Any

from nova import errors
from nova.context import RequestContext
from nova.masking import mask_text
from nova.telemetry.handlers import FileHandler, StderrHandler, SyslogHandler
from nova.telemetry.logging import bound

MAX_MESSAGE = 8192
"""Characters of a message that are logged: enough for a guest's definition, not for a flood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """The values of the options in ``nova.conf.logs``."""

    level: int = logging.INFO
    file: str = ""
    """Empty for stderr."""
    file_mode: int = 0o644
    syslog_facility: str = ""
    """Empty for none."""
    config_file: str = ""
    """A file for ``logging.config`` that replaces all the rest."""
    as_json: bool = False
    date_format: str = "%Y-%m-%d %H:%M:%S"
    context_format: str = (
        "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(request_id)s %(user)s %(tenant)s] "
        "%(instance)s%(message)s"
    )
    default_format: str = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s"
    debug_suffix: str = "%(funcName)s %(pathname)s:%(lineno)d"
    exception_prefix: str = "%(asctime)s.%(msecs)03d %(process)d TRACE %(name)s %(instance)s"
    instance_format: str = "[instance: %(uuid)s] "
    levels: tuple[str, ...] = ()
    """``logger=LEVEL`` pairs."""


def set_up(settings: LogSettings) -> None:
    """Send the log of this process where *settings* say.

    :raises errors.InvalidConfiguration: a level, a facility or the logging file is wrong
    """
    logging.captureWarnings(True)
    if settings.config_file:
        _from_file(settings.config_file)
        return
    handler = _handler(settings)
    handler.setFormatter(JsonFormatter() if settings.as_json else LineFormatter(settings))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(settings.level)
    for pair in settings.levels:
        _set_level(pair)


def _set_level(pair: str) -> None:
    name, sign, word = pair.partition("=")
    level = logging.getLevelNamesMapping().get(word.strip().upper())
    if not sign or level is None:
        raise errors.InvalidConfiguration(f"default_log_levels: {pair!r} is not of the form logger=LEVEL.")
    logging.getLogger(name.strip()).setLevel(level)


def _from_file(path: str) -> None:
    try:
        logging.config.fileConfig(path, disable_existing_loggers=False)
    except (OSError, KeyError, ValueError, RuntimeError) as exc:
        raise errors.InvalidConfiguration(f"The logging file {path} cannot be used: {exc}") from exc


def _handler(settings: LogSettings) -> logging.Handler:
    if settings.syslog_facility:
        return _syslog(settings.syslog_facility)
    if not settings.file:
        return StderrHandler(sys.stderr)
    try:
        return FileHandler(Path(settings.file), settings.file_mode)
    except OSError as exc:
        sys.stderr.write(f"The log file {settings.file} cannot be written ({exc.strerror}); logging to stderr.\n")
        return StderrHandler(sys.stderr)


def _syslog(name: str) -> logging.Handler:
    names = SyslogHandler.facility_names
    facility = names.get(name.lower().removeprefix("log_"))
    if facility is None:
        raise errors.InvalidConfiguration(f"syslog_log_facility: {name!r} is none of {', '.join(sorted(names))}.")
    address = "/dev/log" if os.path.exists("/dev/log") else ("localhost", SYSLOG_UDP_PORT)
    return SyslogHandler(address=address, facility=facility)


def _context_fields(context: RequestContext | None) -> dict[str, str]:
    if context is None:
        return {}
    user, project = context.user_id or "-", context.project_id or "-"
    return {
        "request_id": context.request_id or "-",
        "user": user,
        "user_id": user,
        "user_name": context.user_name or "-",
        "project": project,
        "project_id": project,
        "tenant": project,
        "project_name": context.project_name or "-",
        "remote_address": context.remote_address or "-",
    }


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}… ({len(text)} characters)"


def _escaped(text: str) -> str:
    """Text from outside can neither begin a line of its own nor steer a terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\t" else repr(sign)[1:-1] for sign in text)


class LineFormatter(logging.Formatter):
    """Lines in the operator's own forms; a field that is missing prints as ``-`` or, for the instance, as nothing."""

    def __init__(self, settings: LogSettings) -> None:
        super().__init__(datefmt=settings.date_format)
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, and a line for each of its traceback."""
        settings = self._settings
        context = bound()
        form = settings.default_format if context is None else settings.context_format
        if record.levelno == logging.DEBUG and settings.debug_suffix:
            form = f"{form} {settings.debug_suffix}"
        fields = self._fields(record, context)
        lines = [_filled(form, fields)]
        if record.exc_info:
            head = _filled(settings.exception_prefix, fields)
            text = mask_text(self.formatException(record.exc_info))
            lines.extend(f"{head}{_escaped(line)}" for line in text.splitlines())
        return "\n".join(lines)

    def _fields(self, record: logging.LogRecord, context: RequestContext | None) -> Mapping[str, Any]:
        fields: dict[str, Any] = defaultdict(lambda: "-")
        fields.update(record.__dict__)
        fields.update(_context_fields(context))
        fields["message"] = _escaped(mask_text(_cut(record.getMessage())))
        fields["asctime"] = self.formatTime(record, self.datefmt)
        uuid = getattr(record, "instance_uuid", "")
        fields["instance"] = self._settings.instance_format % {"uuid": uuid} if uuid else ""
        return fields


def _filled(form: str, fields: Mapping[str, Any]) -> str:
    try:
        return form % fields
    except (TypeError, ValueError, KeyError):
        return f"{fields['asctime']} {fields['levelname']} {fields['name']} {fields['message']}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its context."""
        shown: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": mask_text(_cut(record.getMessage())),
            **_context_fields(bound()),
        }
        uuid = getattr(record, "instance_uuid", "")
        if uuid:
            shown["instance_uuid"] = uuid
        if record.exc_info:
            shown["traceback"] = mask_text(self.formatException(record.exc_info))
        return json.dumps(shown)
