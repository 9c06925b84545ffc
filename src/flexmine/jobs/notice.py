"""Notices that a run did not end well: by a program or a webhook, within a time limit, without holding up the run."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from flexmine.jobs.publish_schema import Notice

ENVIRONMENT = {"plant": "FLEXMINE_PLANT", "status": "FLEXMINE_STATUS", "exit_code": "FLEXMINE_EXIT_CODE"}


@dataclass(frozen=True)
class Bulletin:
    """The content of a notice.

    Attributes
    ----------
    kind : str
        The command: ``nightly``, ``redispatch`` or ``replan``.
    message : str
        The last line of the run.
    health : str
        The output of ``flexmine health``.
    """

    kind: str
    plant: str
    run_id: str
    exit_code: int
    status: str
    message: str
    health: str

    @property
    def text(self) -> str:
        """The notice as plain text, for people."""
        return (
            f"flexmine {self.kind} of {self.plant}: exit {self.exit_code}, {self.status} (run {self.run_id})\n"
            f"{self.message}\n\n{self.health}\n"
        )


def send_notices(notices: Sequence[Notice], bulletin: Bulletin, warn: Callable[[str], None]) -> None:
    """Send every notice, all at the same time; `warn` receives a sentence for each that fails, and the run goes on.

    A program that is still running when its time is up is killed with all that it has started; an answer that does
    not come is no longer waited for.
    """
    threads = [(n, threading.Thread(target=_send, args=(n, bulletin, warn), daemon=True)) for n in notices]
    for _, thread in threads:
        thread.start()
    for notice, thread in threads:
        # A program is ended by its own watch, so it gets a little more time than that.
        thread.join(notice.timeout_s + 2.0)
        if thread.is_alive():
            warn(f"{notice.name}: no answer within {notice.timeout_s:g} s; given up")


def _send(notice: Notice, bulletin: Bulletin, warn: Callable[[str], None]) -> None:
    try:
        if notice.command:
            _run(notice, bulletin)
        else:
            _post(notice, bulletin)
    except (OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError) as error:
        warn(f"{notice.name}: failed: {error}")


def _run(notice: Notice, bulletin: Bulletin) -> None:
    variables = {name: str(getattr(bulletin, key)) for key, name in ENVIRONMENT.items()}
    process = subprocess.Popen(
        notice.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    try:
        process.communicate(bulletin.text.encode(), timeout=notice.timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, notice.command[0])


def _post(notice: Notice, bulletin: Bulletin) -> None:
    address = notice.webhook or os.environ.get(str(notice.webhook_env), "")
    if not address.startswith(("http://", "https://")):
        raise ValueError(f"{notice.webhook_env} holds no address that begins with http:// or https://")
    # Chat services show the key `text`; the rest is for programs.
    body = json.dumps({"text": bulletin.text, **asdict(bulletin)}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=notice.timeout_s) as answer:
        answer.read(0)
