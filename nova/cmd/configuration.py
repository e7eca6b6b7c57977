# SPDX-License-Identifier: Apache-2.0
"""From options to the settings objects of the rooms below; the first lines of every program.

The rooms take plain values: this module and its neighbours in ``nova.cmd`` are the only readers of options.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from oslo_config import cfg

from nova import conf as options
from nova import errors
from nova.conf import urls
from nova.conf.loading import Loaded, load
from nova.masking import MASK, mask_url
from nova.rpc.settings import TlsSettings, TransportSettings, from_url
from nova.system.commands import CommandRunner, RootAccess, Sudo, root_access
from nova.telemetry.output import LogSettings, set_up

if TYPE_CHECKING:
    from nova.db.settings import DatabaseSettings

LOG = logging.getLogger(__name__)

USAGE = """\
Usage: {prog} [options]{words}

Options:
  --config-file FILE   configuration file, ini or flagfile; may be repeated, later ones win
  --config-dir DIR     every *.conf in DIR after the files
  --flagfile FILE      the same as --config-file
  --NAME=VALUE         any option of nova.conf; --NAME and --noNAME for booleans, --GROUP-NAME for one in a section
  --debug              log everything
  --help, --version    this text; the version

Without a file, nova.conf and {prog}.conf are looked for in ~/.nova, ~, /etc/nova and /etc.
"""


def start(prog: str, argv: Sequence[str] | None = None) -> Loaded:
    """Read the configuration, set up logging, say what is odd.  Ends the program when it asks for help or is wrong."""
    try:
        loaded = load(sys.argv[1:] if argv is None else argv, prog=prog)
        answer_questions(loaded, prog)
        if loaded.rest:
            raise errors.InvalidConfiguration(f"{prog} takes options only, and not the word {loaded.rest[0]!r}.")
        set_up(log_settings(loaded.conf, prog))
    except errors.InvalidConfiguration as exc:
        give_up(prog, exc)
    say_notices(loaded)
    return loaded


def answer_questions(loaded: Loaded, prog: str, *, words: str = "") -> None:
    """Print the usage or the version and end, if that was asked for.

    :param words: what a tool takes after its options, for the usage
    """
    if loaded.help_wanted:
        print(USAGE.format(prog=prog, words=words), end="")
        sys.exit(0)
    if loaded.version_wanted:
        print(version())
        sys.exit(0)


def version() -> str:
    """The version of the installed package."""
    from importlib import metadata

    try:
        return metadata.version("nova")
    except metadata.PackageNotFoundError:
        return "unknown"


def give_up(prog: str, exc: errors.NovaError) -> NoReturn:
    """One line on stderr, with the detail that only operators may see; exit code 1."""
    print(f"{prog}: {exc}", file=sys.stderr)
    sys.exit(1)


def say_notices(loaded: Loaded) -> None:
    """Log what was found while reading, and at DEBUG every option in force."""
    for notice in loaded.notices:
        LOG.log(notice.level, "%s", notice.text)
    if LOG.isEnabledFor(logging.DEBUG):
        for line in dump(loaded.conf):
            LOG.debug("%s", line)


def dump(conf: cfg.ConfigOpts) -> Iterator[str]:
    """Every option and its value; secrets and the passwords of URLs are masked."""
    for group, declared in options.list_opts():
        for option in declared:
            value = conf[option.dest] if group == "DEFAULT" else conf[group][option.dest]
            shown = MASK if option.secret and value else mask_url(str(value))
            yield f"{'' if group == 'DEFAULT' else f'[{group}] '}{option.name} = {shown}"


def log_settings(conf: cfg.ConfigOpts, prog: str) -> LogSettings:
    """How *prog* logs."""
    level = logging.DEBUG if conf.debug else logging.INFO if conf.verbose else logging.WARNING
    return LogSettings(
        level=level,
        file=_log_file(conf, prog),
        file_mode=_octal("logfile_mode", conf.logfile_mode),
        syslog_facility=conf.syslog_log_facility if conf.use_syslog else "",
        config_file=conf.log_config_append or "",
        as_json=conf.use_json,
        date_format=conf.log_date_format,
        context_format=conf.log_format or conf.logging_context_format_string,
        default_format=conf.log_format or conf.logging_default_format_string,
        debug_suffix=conf.logging_debug_format_suffix,
        exception_prefix=conf.logging_exception_prefix,
        instance_format=conf.instance_format,
        levels=tuple(conf.default_log_levels),
    )


def _log_file(conf: cfg.ConfigOpts, prog: str) -> str:
    if conf.log_file:
        return os.path.join(conf.log_dir or "", conf.log_file)
    return os.path.join(conf.log_dir, f"{prog}.log") if conf.log_dir else ""


def _octal(name: str, text: str) -> int:
    try:
        return int(text, 8)
    except ValueError:
        raise errors.InvalidConfiguration(f"{name} = {text!r} is not valid: an octal number is expected.") from None


def database_settings(conf: cfg.ConfigOpts) -> DatabaseSettings:
    """How to reach the database."""
    from nova.db.settings import DatabaseSettings  # brings SQLAlchemy, which nova-compute does without

    group = conf.database
    return DatabaseSettings(
        url=group.connection,
        max_pool_size=group.max_pool_size,
        max_overflow=group.max_overflow,
        pool_timeout_s=group.pool_timeout,
        idle_timeout_s=group.idle_timeout,
        max_retries=group.max_retries,
        retry_interval_s=group.retry_interval,
        trace=group.connection_debug >= 50,
    )


def transport_settings(conf: cfg.ConfigOpts) -> TransportSettings:
    """How to reach the broker.

    :raises errors.InvalidConfiguration: the URL cannot be read, or names a transport that is not supported
    """
    rabbit = conf.oslo_messaging_rabbit
    tls = TlsSettings(
        ca_file=rabbit.kombu_ssl_ca_certs, cert_file=rabbit.kombu_ssl_certfile, key_file=rabbit.kombu_ssl_keyfile
    )
    url = urls.transport_url(conf)
    return from_url(
        url,
        control_exchange=conf.control_exchange,
        heartbeat_s=rabbit.heartbeat_timeout_threshold,
        retry_interval_s=float(rabbit.rabbit_retry_interval),
        retry_backoff_s=float(rabbit.rabbit_retry_backoff),
        max_retries=rabbit.rabbit_max_retries,
        tls=tls if rabbit.rabbit_use_ssl or url.startswith("amqps:") else None,
        durable_queues=rabbit.amqp_durable_queues,
        ha_queues=rabbit.rabbit_ha_queues,
        max_message_bytes=conf.rpc_max_message_bytes,
    )


def command_runner(conf: cfg.ConfigOpts) -> CommandRunner:
    """What runs programs on this host, as root where it must."""
    return CommandRunner(_root_access(conf))


def _root_access(conf: cfg.ConfigOpts) -> RootAccess:
    if conf.workarounds.disable_rootwrap_daemon and os.geteuid() != 0:
        return Sudo(("sudo", "-n", "nova-rootwrap", conf.rootwrap_config))
    return root_access(conf.rootwrap_config, root_helper=conf.root_helper or "")


def image_store(conf: cfg.ConfigOpts) -> str:
    """``local`` or ``glance``."""
    if conf.image.store:
        return str(conf.image.store)
    return "glance" if conf.auth_strategy == "keystone" or conf.glance.api_servers else "local"


def enabled_apis(conf: cfg.ConfigOpts) -> list[str]:
    """The endpoints to open; where nobody chose, those that a neighbour serves are left out."""
    wanted = list(dict.fromkeys(conf.enabled_apis))
    if urls.is_set(conf, "enabled_apis"):
        return wanted
    theirs = set()
    if conf.auth_strategy == "keystone":
        theirs.add("identity")
    if image_store(conf) == "glance":
        theirs.add("image")
    if conf.volume_api_class == "cinder":
        theirs.add("osapi_volume")
    return [name for name in wanted if name not in theirs]


def companion_file(loaded: Loaded, name: str) -> Path | None:
    """The paste or policy file *name*: absolute, or beside a configuration file, in /etc/nova, or in the checkout.

    :raises errors.InvalidConfiguration: everybody may write it, so that anybody decides who is administrator
    """
    base = Path(loaded.conf.pybasedir)
    places = [*(path.parent for path in loaded.files), Path("/etc/nova"), base / "etc" / "nova"]
    candidates = [Path(name)] if os.path.isabs(name) else [place / name for place in places]
    for path in candidates:
        if path.is_file():
            if path.stat().st_mode & stat.S_IWOTH:
                raise errors.InvalidConfiguration(f"Everybody may write {path}; set its mode to 0640.")
            return path
    return None


def paste_file(loaded: Loaded) -> Path:
    """The file with the pipelines.

    :raises errors.InvalidConfiguration: it is not there, or everybody may write it
    """
    name = loaded.conf.api_paste_config
    found = companion_file(loaded, name)
    if found is None:
        raise errors.InvalidConfiguration(f"api_paste_config: the file {name} is not there.")
    return found


def policy_file(loaded: Loaded) -> Path | None:
    """The operator's changes to the policy, if there are any; policy.yaml is looked for too where nobody named a file.

    :raises errors.InvalidConfiguration: a file that somebody named is not there, or everybody may write it
    """
    name = loaded.conf.policy_file
    found = companion_file(loaded, name)
    if urls.is_set(loaded.conf, "policy_file"):
        if found is None:
            raise errors.InvalidConfiguration(f"policy_file: the file {name} is not there.")
        return found
    return found or companion_file(loaded, "policy.yaml")
