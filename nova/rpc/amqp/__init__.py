# SPDX-License-Identifier: Apache-2.0
"""RabbitMQ: kombu makes the connection and declares queues; the frames of every message are written and read here,
because that is where the time of a call goes."""
