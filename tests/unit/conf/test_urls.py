# SPDX-License-Identifier: Apache-2.0
"""Addresses in pieces and in older forms."""

import pytest

from nova import errors
from nova.conf import urls
from nova.conf.loading import load


def conf(*argv: str):
    return load(argv, prog="nova-api", search=[]).conf


def test_without_any_option_the_broker_is_a_fresh_rabbitmq_here() -> None:
    assert urls.transport_url(conf()) == "amqp://guest:guest@localhost:5672//"


def test_the_older_options_make_a_url() -> None:
    url = urls.transport_url(
        conf("--rabbit_host=10.0.0.3", "--rabbit_userid=no/va", "--rabbit_password=p@s:s", "--rabbit_virtual_host=nova")
    )
    assert url == "amqp://no%2Fva:p%40s%3As@10.0.0.3:5672/nova"


def test_a_cluster_and_tls_are_in_the_url() -> None:
    url = urls.transport_url(conf("--rabbit_hosts=a:5673,b,[::1]", "--rabbit_use_ssl", "--rabbit_port=5671"))
    assert url == "amqps://guest:guest@a:5673,guest:guest@b:5671,guest:guest@[::1]:5671//"


def test_a_transport_url_wins_over_the_pieces() -> None:
    assert urls.transport_url(conf("--transport_url=rabbit://u:p@h:1/v", "--rabbit_host=x")) == "amqp://u:p@h:1/v"


@pytest.mark.parametrize("argv", ["--transport_url=memory://", "--fake_rabbit", "--rpc_backend=nova.rpc.impl_fake"])
def test_every_word_for_the_transport_in_memory_is_known(argv: str) -> None:
    assert urls.transport_url(conf(argv)) == "memory://"


@pytest.mark.parametrize("argv", ["--transport_url=http://x", "--transport_url=host", "--rpc_backend=qpid"])
def test_a_transport_that_is_not_there_is_refused(argv: str) -> None:
    with pytest.raises(errors.InvalidConfiguration):
        urls.transport_url(conf(argv))


def test_the_ec2_address_is_taken_from_its_parts_or_a_whole_url() -> None:
    assert urls.ec2_endpoint(conf("--ec2_host=10.0.0.1")).url == "http://10.0.0.1:8773/services/Cloud"
    assert urls.ec2_endpoint(conf("--ec2_host=http://10.0.0.1")).url == "http://10.0.0.1:8773/services/Cloud"
    assert urls.ec2_endpoint(conf("--ec2_url=https://x:99/y")).url == "https://x:99/y"
    assert urls.ec2_endpoint(conf("--cc_host=10.0.0.2")).host == "10.0.0.2"


def test_a_part_that_somebody_set_wins_over_the_whole_ec2_url() -> None:
    assert urls.ec2_endpoint(conf("--ec2_url=http://x:99/y", "--ec2_host=10.0.0.7")).url == "http://10.0.0.7:99/y"


def test_the_compute_address_may_be_a_whole_url_too() -> None:
    assert urls.compute_endpoint(conf("--osapi_host=http://184.106.239.134")).url == "http://184.106.239.134:8774/v1.1/"


def test_image_servers_become_urls() -> None:
    servers = urls.glance_servers(conf("--glance_api_servers=a,b:1,https://c:2/,[::1]"))
    assert servers == ["http://a:9292", "http://b:1", "https://c:2", "http://[::1]:9292"]
    assert urls.glance_servers(conf("--glance_host=d", "--glance_protocol=https")) == ["https://d:9292"]


def test_the_address_of_keystone_is_whole_or_in_pieces() -> None:
    assert urls.keystone_url(conf()) == "http://127.0.0.1:35357"
    assert urls.keystone_url(conf("--keystone_authtoken-auth_host=k", "--keystone_authtoken-auth_port=5000")) == (
        "http://k:5000"
    )
    assert urls.keystone_url(conf("--keystone_authtoken-auth_url=http://k:5000/v3/")) == "http://k:5000"
