# SPDX-License-Identifier: Apache-2.0
"""Switches for tests and for odd machines.  None of them is needed in a cloud that works."""

from oslo_config import cfg

WORKAROUNDS = [
    cfg.StrOpt(
        "pause_before_step",
        help="Where a daemon waits for ever, as daemon:step (compute:start_guest, conductor:allocate), or 'watched': "
        "then it waits while the file pause_before_step below state_path has that line. Fault tests kill it there.",
    ),
    cfg.BoolOpt(
        "disable_privilege_check",
        default=False,
        help="Do not check that the programs that a daemon needs are installed before it starts.",
    ),
    cfg.BoolOpt(
        "disable_rootwrap_daemon",
        default=False,
        help="Start nova-rootwrap for each command, where a kept process is not wanted.",
    ),
    cfg.BoolOpt(
        "disable_ebtables",
        default=False,
        help="Start guests without the rules against spoofing of MAC and ARP, on kernels that have none. Anybody "
        "can then be anybody on a bridge.",
    ),
    cfg.BoolOpt("never_wait_for_guest", default=False, help="Take a guest as shut down at once. For tests."),
]

CELLS = [
    cfg.BoolOpt("enable", default=False, help="Cells of the first kind; only false is supported."),
]

OPTIONS = {"workarounds": WORKAROUNDS, "cells": CELLS}
