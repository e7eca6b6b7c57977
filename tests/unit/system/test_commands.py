# SPDX-License-Identifier: Apache-2.0
"""Running programs with bounds, as root only through the gate."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nova import errors
from nova.system.commands import (
    Command,
    CommandRunner,
    InProcess,
    ResourceLimits,
    Sudo,
    execute,
    root_access,
)
from nova.system.rootwrap import Gate

runner = CommandRunner()


def gate(tmp_path: Path, filters: str) -> Gate:
    tmp_path.joinpath("d").mkdir(mode=0o755)
    tmp_path.joinpath("d", "x.filters").write_text(f"[Filters]\n{filters}\n")
    path = tmp_path / "rootwrap.conf"
    path.write_text(f"[DEFAULT]\nfilters_path={tmp_path}/d\nexec_dirs=/bin,/usr/bin\n")
    for each in (path, tmp_path / "d" / "x.filters"):
        each.chmod(0o644)
    return Gate(path)


def test_a_command_gives_what_it_wrote_and_its_code() -> None:
    done = runner.run(["cat"], stdin=b"a\xffb")
    assert (done.stdout, done.stderr, done.code) == (b"a\xffb", b"", 0)
    assert done.text == "a\ufffdb"


def test_words_reach_the_program_as_they_are_and_no_shell_sees_them() -> None:
    words = ["$(id)", ";ls", "a b", "`x`", "*"]
    shown = runner.run([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words]).text
    assert shown.strip() == repr(words)


def test_a_code_that_is_no_success_is_an_error_with_the_end_of_stderr() -> None:
    with pytest.raises(errors.HypervisorError) as caught:
        runner.run(["sh", "-c", "echo broken pipe in hell >&2; exit 3"])
    assert caught.value.data["code"] == 3
    assert "broken pipe in hell" in caught.value.detail
    assert caught.value.message == "The command sh failed on this host."


def test_a_code_that_was_named_as_good_is_no_error() -> None:
    assert runner.run(["sh", "-c", "exit 3"], ok_codes=(0, 3)).code == 3


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(errors.HypervisorError, match="no-such-program is not installed") as caught:
        runner.run(["no-such-program", "-x"])
    assert caught.value.data["code"] == 127


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(errors.Timeout, match="sh took longer than 0.3 s"):
        runner.run(["sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"], timeout_s=0.3)
    assert time.monotonic() - started < 5
    assert not _alive(int(pid_file.read_text()))


def _alive(pid: int) -> bool:
    """Whether the process still runs, after a moment in which the kernel may finish it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.01)
    return True


def test_secrets_in_a_command_line_are_masked_in_the_error() -> None:
    with pytest.raises(errors.HypervisorError) as caught:
        runner.run(["false", "--password", "hunter2", "secret=hunter2", "amqp://u:hunter2@h/"])
    assert "hunter2" not in str(caught.value)
    with pytest.raises(errors.HypervisorError) as caught:
        runner.run(["sh", "-c", 'echo \'{"adminPass": "hunt\\"er2"}\' >&2; exit 1'])
    assert "er2" not in caught.value.detail.partition("ended with")[2]


def test_a_command_has_a_plain_locale_and_the_environment_it_is_given() -> None:
    assert runner.run(["sh", "-c", "echo $LC_ALL $MARK"], env={"MARK": "here"}).text == "C here\n"


def test_limits_bound_memory_and_processor_time() -> None:
    limits = ResourceLimits(address_space_bytes=200 * 1024 * 1024, cpu_s=1)
    with pytest.raises(errors.HypervisorError) as caught:
        runner.run([sys.executable, "-c", "bytearray(1 << 30)"], limits=limits)
    assert "MemoryError" in caught.value.detail
    with pytest.raises(errors.HypervisorError):
        runner.run([sys.executable, "-c", "while True: pass"], limits=limits, timeout_s=20)


def test_limits_are_not_for_root() -> None:
    with pytest.raises(ValueError, match="do not run as root"):
        runner.run(["true"], limits=ResourceLimits(cpu_s=1), as_root=True)


def test_a_runner_without_a_way_to_root_refuses() -> None:
    with pytest.raises(errors.HypervisorError, match="may not run commands as root"):
        runner.run(["true"], as_root=True)


def test_a_root_process_matches_the_filters_itself(tmp_path: Path) -> None:
    rooted = CommandRunner(InProcess(gate(tmp_path, "echo: RegExpFilter, echo, root, echo, [a-z]+")))
    assert rooted.run(["echo", "hello"], as_root=True).text == "hello\n"
    with pytest.raises(errors.HypervisorError) as caught:
        rooted.run(["echo", "HELLO"], as_root=True)
    assert caught.value.data["code"] == 99


def test_what_the_helper_program_refuses_is_an_error_of_the_same_kind(tmp_path: Path) -> None:
    gate(tmp_path, "echo: RegExpFilter, echo, root, echo, [a-z]+")
    prefix = (
        sys.executable,
        "-c",
        "import sys; from nova.cmd.rootwrap import main; main()",
        str(tmp_path / "rootwrap.conf"),
    )
    rooted = CommandRunner(Sudo(prefix))
    assert rooted.run(["echo", "hello"], as_root=True).text == "hello\n"
    with pytest.raises(errors.HypervisorError) as caught:
        rooted.run(["echo", "HELLO"], as_root=True)
    assert caught.value.data["code"] == 99


def test_the_helper_program_says_how_it_was_called_wrongly(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "import sys; from nova.cmd.rootwrap import main; main()"]
    assert execute(Command(argv=(*program,))).code == 98
    assert execute(Command(argv=(*program, str(tmp_path / "none.conf"), "ls"))).code == 97


def test_one_helper_process_serves_many_commands(tmp_path: Path) -> None:
    gate(tmp_path, "echo: RegExpFilter, echo, root, echo, [a-z]+\ncat: RegExpFilter, cat, root, cat")
    program = """
import sys
from nova import errors
from nova.system.commands import CommandRunner, Sudo, SudoDaemon
start = "from nova.cmd.rootwrap import main_daemon; main_daemon()"
kept = SudoDaemon((sys.executable, "-c", start, sys.argv[1]), Sudo(("no-such-program",)))
runner = CommandRunner(kept)
try:
    print(runner.run(["echo", "hello"], as_root=True).text, end="")
    print(runner.run(["cat"], as_root=True, stdin=b"through").text)
    for _ in range(2):
        try:
            runner.run(["echo", "HELLO"], as_root=True)
        except errors.HypervisorError as exc:
            print(exc.data["code"])
    print(runner.run(["echo", "again"], as_root=True).text, end="")
finally:
    kept.close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "rootwrap.conf")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["hello", "through", "99", "99", "again"], done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="the other ways need sudo")
def test_a_root_process_gets_the_gate_inside_itself(tmp_path: Path) -> None:
    gate(tmp_path, "echo: RegExpFilter, echo, root, echo, [a-z]+")
    assert isinstance(root_access(str(tmp_path / "rootwrap.conf")), InProcess)


def test_commands_yield_and_time_out_under_eventlet() -> None:
    program = """
import eventlet; eventlet.monkey_patch()
from nova import errors
from nova.system.commands import CommandRunner
runner, turns = CommandRunner(), []
def count():
    while True:
        turns.append(1); eventlet.sleep(0.01)
eventlet.spawn(count)
assert [d.code for d in eventlet.GreenPool().imap(lambda _: runner.run(["sleep", "0.2"]), range(3))] == [0, 0, 0]
assert len(turns) >= 5, turns
assert len(runner.run(["cat"], stdin=b"x" * 1000000).stdout) == 1000000
try:
    runner.run(["sleep", "30"], timeout_s=0.1)
except errors.Timeout:
    print("timed out")
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("timed out\n", 0), done.stderr


_COUNT_NAPS = """
from nova.cmd.green import make_green
make_green()
import eventlet
from nova.system.commands import Command, execute
naps, sleep = [], eventlet.sleep
eventlet.sleep = lambda seconds=0: (naps.append(seconds), sleep(seconds))
assert execute(Command(argv=("sh", "-c", "exec >&- 2>&-; sleep 0.2"))).code == 0
print(len(naps))
"""


def test_green_threads_wait_for_the_end_of_a_command_and_do_not_look_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", _COUNT_NAPS], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n"
