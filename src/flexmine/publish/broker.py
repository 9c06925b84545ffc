"""Where an MQTT broker is and how to speak to it; passwords stay outside of every file that flexmine writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from flexmine.errors import BadInput
from flexmine.inputs.fields import Document, problems

PLAIN_PORT, TLS_PORT = 1883, 8883


class Broker(Document):
    """An MQTT broker; paths are relative to the file that names them.

    Attributes
    ----------
    port
        None: 1883, or 8883 with `tls`.
    prefix
        First levels of all topics: ``PREFIX/PLANT/containers/C07/setpoint``.
    tls
        Whether the connection is encrypted and the broker's certificate checked: against `ca_file`, or what the
        system trusts.
    client_cert_file, client_key_file
        Where the broker asks for a certificate.
    username_env, password_env
        Names of the environment variables that hold them; both may be unset.
    credentials_file
        A file of two lines, user name and password, in place of the environment.
    timeout_s
        So long all messages of one plan may take, waiting and connecting anew included [s].
    """

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65_535)
    prefix: str = Field(default="flexmine", pattern=r"^[^+#/\s][^+#\s]*$", max_length=200)
    tls: bool = False
    ca_file: str | None = None
    client_cert_file: str | None = None
    client_key_file: str | None = None
    username_env: str = Field(default="FLEXMINE_MQTT_USERNAME", min_length=1)
    password_env: str = Field(default="FLEXMINE_MQTT_PASSWORD", min_length=1)
    credentials_file: str | None = None
    timeout_s: float = Field(default=60.0, gt=0.0, le=3600.0)

    @model_validator(mode="after")
    def _consistent(self) -> Broker:
        found: list[tuple[tuple[str | int, ...], str]] = []
        for key in ("ca_file", "client_cert_file", "client_key_file"):
            if getattr(self, key) is not None and not self.tls:
                found.append(((key,), "belongs to tls: true"))
        if (self.client_cert_file is None) != (self.client_key_file is None):
            found.append(((), "client_cert_file and client_key_file belong together"))
        problems(found)
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (TLS_PORT if self.tls else PLAIN_PORT)

    def credentials(self, beside: Path) -> tuple[str, str | None] | None:
        """Return user name and password; None where neither file nor environment has them.

        A relative ``credentials_file`` is looked up in the folder `beside`.

        Raises
        ------
        BadInput
            The file cannot be read or does not have two lines.
        """
        if self.credentials_file is None:
            name = os.environ.get(self.username_env)
            return None if name is None else (name, os.environ.get(self.password_env))
        file = beside / self.credentials_file
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{file}: cannot be read: {error}") from error
        if len(lines) != 2 or not lines[0]:
            raise BadInput(f"{file}: has to hold two lines, the user name and the password")
        return lines[0], lines[1]


class BrokerFile(Broker):
    """A broker in a file of its own, ``schema: flexmine-mqtt/1``."""

    schema_id: Literal["flexmine-mqtt/1"] = Field(alias="schema")
