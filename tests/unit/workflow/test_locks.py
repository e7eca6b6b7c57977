# SPDX-License-Identifier: Apache-2.0
"""One holder per key, others at the same time."""

from __future__ import annotations

import threading

from nova.workflow.locks import KeyedLocks


def test_holders_of_one_key_follow_one_another() -> None:
    locks, inside, most = KeyedLocks(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with locks.hold("a"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 1
    assert locks.held() == frozenset()


def test_different_keys_do_not_wait_for_each_other() -> None:
    locks = KeyedLocks()
    with locks.hold("a"), locks.hold("b"):
        assert locks.held() == {"a", "b"}
