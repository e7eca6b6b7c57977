# SPDX-License-Identifier: Apache-2.0
"""What queues and exchanges are called."""

from __future__ import annotations

from nova.rpc.amqp.names import Names
from nova.rpc.settings import TransportSettings
from nova.rpc.transport import Address


def test_the_usual_names_are_those_of_the_topics() -> None:
    names = Names(TransportSettings())
    assert names.route(Address("compute")) == ("nova", "compute")
    assert names.route(Address("compute", "h1.example")) == ("nova", "compute.h1.example")
    assert names.route(Address("compute", fanout=True)) == ("compute_fanout", "")


def test_another_control_exchange_sets_a_cloud_apart() -> None:
    names = Names(TransportSettings(control_exchange="two"))
    assert names.route(Address("compute", "h")) == ("two", "two.compute.h")
    assert names.route(Address("compute", fanout=True)) == ("two.compute_fanout", "")


def test_a_topic_can_be_renamed() -> None:
    names = Names(TransportSettings(topics={"compute": "hosts"}))
    assert names.route(Address("compute", "h")) == ("nova", "hosts.h")
    assert names.fanout_exchange(Address("compute", fanout=True)) == "hosts_fanout"
    assert names.queue(Address("network")) == "network"
