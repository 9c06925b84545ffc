"""Sending to a real mosquitto: retained and complete, broker restarts, passwords, certificates, refusals."""

import getpass
import json
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from flexmine.errors import BadInput
from flexmine.publish.broker import Broker
from flexmine.publish.directory import publish
from flexmine.publish.messages import Message, messages_of
from flexmine.publish.mqtt import send
from publishing import BEFORE

pytestmark = pytest.mark.system
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A mosquitto on a port of its own, without persistence: what it loses is lost."""

    def __init__(self, folder, *lines):
        self.port = free_port()
        self.config = folder / "mosquitto.conf"
        # As root it would change to a user who may not read the test's folder.
        own = [
            f"user {getpass.getuser()}",
            f"listener {self.port} 127.0.0.1",
            "persistence false",
            *(lines or ["allow_anonymous true"]),
        ]
        self.config.write_text("\n".join(own) + "\n", encoding="utf-8")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", self.config], stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("mosquitto does not listen")

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextmanager
def running(folder, *lines):
    server = Server(folder, *lines)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def retained(port, count, **login):
    """Return what a consumer that comes now finds: {topic: body}."""
    found, enough = {}, threading.Event()

    def on_message(_client, _data, message):
        assert message.retain
        found[message.topic] = json.loads(message.payload)
        if len(found) >= count:
            enough.set()

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    if login:
        client.username_pw_set(**login)
    client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert enough.wait(10), sorted(found)
    client.disconnect()
    client.loop_stop()
    return found


def broker(port, **changes):
    return Broker(host="127.0.0.1", port=port, prefix="mine", **({"timeout_s": 30.0} | changes))


def test_all_messages_are_retained(tmp_path, plan):
    """*Proves:* a consumer that comes later finds every message, and the counting one agrees with the rest.

    *Sensitivity:* without retain it would find nothing.
    """
    messages = messages_of(publish(plan, tmp_path / "to", now=BEFORE).publication, "mine")
    with running(tmp_path) as server:
        send(messages, broker(server.port), tmp_path)
        found = retained(server.port, len(messages))
    complete = found["mine/two/complete"]
    same = [t for t, body in found.items() if body["sequence"] == complete["sequence"] and not t.endswith("complete")]
    assert len(same) == complete["messages"] == 4


def test_broker_that_comes_late_and_dies_in_the_middle(tmp_path):
    """*Proves:* the sender waits for a broker that is not up yet; when the broker is killed after 30 of 200 messages
    and started anew with nothing retained, all 200 are there in the end, and the last is the counting one.

    *Sensitivity:* sending on after the restart would leave the first 30 out for ever.
    """
    server = Server(tmp_path)
    messages = [Message(f"mine/p/{i}", json.dumps({"n": i, "fill": "x" * 2000}).encode()) for i in range(199)]
    messages.append(Message("mine/p/complete", b'{"n": 199}'))
    killed = threading.Event()

    def restart():
        server.kill()
        time.sleep(0.3)
        server.start()

    def acknowledged(count):
        if count >= 30 and not killed.is_set():
            killed.set()
            threading.Thread(target=restart).start()
            time.sleep(0.2)

    late = threading.Timer(1.0, server.start)
    late.start()
    try:
        send(messages, broker(server.port), tmp_path, acknowledged)
        assert killed.is_set()
        found = retained(server.port, 200)
    finally:
        late.join()
        server.kill()
    assert sorted(body["n"] for body in found.values()) == list(range(200))


def test_password_from_a_file_or_the_environment(tmp_path, monkeypatch):
    """*Proves:* both ways in; with a wrong one, the refusal is told as such.
    *Sensitivity:* a refusal taken for a broken line would be told as a broker that does not answer.
    """
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "plant", "secret"], check=True, capture_output=True)
    passwords.chmod(0o644)
    (tmp_path / "login").write_text("plant\nsecret\n", encoding="utf-8")
    messages = [Message("mine/p/a", b"1"), Message("mine/p/complete", b"2")]
    with running(tmp_path, "allow_anonymous false", f"password_file {passwords}") as server:
        send(messages, broker(server.port, credentials_file="login"), tmp_path)
        monkeypatch.setenv("FLEXMINE_MQTT_USERNAME", "plant")
        monkeypatch.setenv("FLEXMINE_MQTT_PASSWORD", "secret")
        send(messages, broker(server.port), tmp_path)
        assert set(retained(server.port, 2, username="plant", password="secret")) == {"mine/p/a", "mine/p/complete"}
        monkeypatch.setenv("FLEXMINE_MQTT_PASSWORD", "wrong")
        with pytest.raises(BadInput, match=r"mqtt broker 127\.0\.0\.1:\d+: refused: (Not authorized|Bad user name)"):
            send(messages, broker(server.port), tmp_path)


def test_certificate_of_the_broker_is_checked(tmp_path):
    """*Proves:* TLS with the broker's own authority works, and without knowing it the connection is refused in words.

    *Sensitivity:* an unchecked certificate would send setpoints to anyone.
    """
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run([*request, *names], check=True, capture_output=True)
    key.chmod(0o644)
    messages = [Message("mine/p/a", b"1"), Message("mine/p/complete", b"2")]
    with running(tmp_path, "allow_anonymous true", f"certfile {cert}", f"keyfile {key}") as server:
        send(messages, broker(server.port, tls=True, ca_file="cert.pem"), tmp_path)
        with pytest.raises(BadInput, match="no safe connection"):
            send(messages, broker(server.port, tls=True), tmp_path)


def test_nobody_there(tmp_path):
    """*Proves:* an address without a broker ends within the time, with the reason."""
    with pytest.raises(BadInput, match=r"not reached within 1\.5 s: .*refused"):
        send([Message("a", b"1")], broker(free_port(), timeout_s=1.5), tmp_path)
