"""Sending a publication to an MQTT broker: retained, at least once, all of it or an error."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.publish.broker import Broker
from flexmine.publish.messages import Message

FIRST_WAIT_S, LONGEST_WAIT_S = 1, 30
CONNECT_S = 5.0
WAIT_S = 0.2


def send(
    messages: Sequence[Message],
    broker: Broker,
    beside: Path,
    acknowledged: Callable[[int], None] = lambda _: None,
) -> None:
    """Send messages with QoS 1, retained, and wait until the broker has acknowledged every one.

    The last message is sent when all others are acknowledged.  Where the connection breaks on the way, it is made
    again, after longer and longer waits, and all messages are sent again: a restarted broker may have lost what it had
    acknowledged.

    Parameters
    ----------
    messages : sequence of Message
    broker : Broker
    beside : Path
        Folder to which the paths in `broker` are relative.
    acknowledged : callable
        Receives how many messages are acknowledged so far.

    Raises
    ------
    BadInput
        paho-mqtt is not installed; the broker refuses, or has not acknowledged all within the time.
    """
    line = _Line(broker, beside, acknowledged)
    try:
        line.connect()
        while True:
            times = line.times_connected
            line.deliver(messages[:-1])
            line.deliver(messages[-1:])
            if line.times_connected == times:
                return
    finally:
        line.close()


class _Line:
    """One connection to a broker, made again as often as needed, until the time is up."""

    def __init__(self, broker: Broker, beside: Path, acknowledged: Callable[[int], None]):
        self.broker, self.beside, self.acknowledged = broker, beside, acknowledged
        self.until = time.monotonic() + broker.timeout_s
        self.name = f"mqtt broker {broker.address[0]}:{broker.address[1]}"
        self.changed = threading.Condition()
        self.times_connected = 0
        self.waiting: set[int] = set()
        self.early: set[int] = set()
        self.count = 0
        self.refused: str | None = None
        self.last = "no answer"
        self.client = self._client()

    def _client(self) -> Any:
        try:
            from paho.mqtt.client import Client, MQTTv5
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise BadInput("paho-mqtt is not installed; install flexmine[mqtt] to publish by MQTT") from error
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        client.connect_timeout = CONNECT_S
        client.reconnect_delay_set(FIRST_WAIT_S, LONGEST_WAIT_S)
        known = self.broker.credentials(self.beside)
        if known is not None:
            client.username_pw_set(*known)
        if self.broker.tls:
            client.tls_set_context(self._tls())
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _tls(self) -> ssl.SSLContext:
        def path(name: str | None) -> Path | None:
            return None if name is None else self.beside / name

        try:
            context = ssl.create_default_context(cafile=path(self.broker.ca_file))
            certificate = path(self.broker.client_cert_file)
            if certificate is not None:
                context.load_cert_chain(certificate, path(self.broker.client_key_file))
        except OSError as error:
            raise BadInput(f"{self.name}: its certificates cannot be used: {error}") from error
        return context

    def connect(self) -> None:
        """Reach the broker and log in."""
        wait = float(FIRST_WAIT_S)
        while True:
            try:
                self.client.connect(*self.broker.address)
                break
            except ssl.SSLError as error:
                raise BadInput(f"{self.name}: no safe connection: {error}") from error
            except OSError as error:
                self.last = str(error)
            if time.monotonic() + wait > self.until:
                raise BadInput(f"{self.name}: not reached within {self.broker.timeout_s:g} s: {self.last}")
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)
        self.client.loop_start()
        self._wait(lambda: self.times_connected > 0, "did not let us in")

    def deliver(self, messages: Sequence[Message]) -> None:
        """Send messages and wait for all acknowledgements."""
        for message in messages:
            # Without a connection it is queued, and sent when there is one again.  Not under our lock: the client
            # calls back under its own, and may do so before we know the number.
            number = self.client.publish(message.topic, message.payload, qos=1, retain=True).mid
            with self.changed:
                if number in self.early:
                    self.early.remove(number)
                else:
                    self.waiting.add(number)
        self._wait(lambda: not self.waiting, "did not acknowledge all messages")

    def close(self) -> None:
        """Disconnect and end the thread."""
        self.client.disconnect()
        self.client.loop_stop()

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        with self.changed:
            while not done():
                if self.refused is not None:
                    raise BadInput(f"{self.name}: refused: {self.refused}")
                if time.monotonic() > self.until:
                    open_ones = f", {len(self.waiting)} are open" if self.waiting else ""
                    raise BadInput(f"{self.name}: {what} within {self.broker.timeout_s:g} s{open_ones}; {self.last}")
                self.changed.wait(WAIT_S)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self.changed:
            if reason.is_failure:
                self.refused = str(reason)
            else:
                self.times_connected += 1
            self.changed.notify_all()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self.changed:
            self.last = f"the connection was lost ({reason})"
            self.changed.notify_all()

    def _on_publish(self, _client: Any, _data: Any, number: int, reason: Any, _properties: Any) -> None:
        with self.changed:
            if reason.is_failure:
                self.refused = f"a message: {reason}"
            if number in self.waiting:
                self.waiting.remove(number)
            else:
                self.early.add(number)
            self.count += 1
            self.changed.notify_all()
        self.acknowledged(self.count)
