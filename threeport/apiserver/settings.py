"""Settings of the API server, from the environment (``THREEPORT_...``), so that it runs alike anywhere."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the API server has to be told; each field is an environment variable of the same name."""

    model_config = SettingsConfigDict(env_prefix="THREEPORT_")

    listen: str = Field(default="127.0.0.1:7443", description="Address and port; port 0 takes a free one.")
    share_port: bool = Field(default=False, description="Whether other API processes listen on the same port.")
    database_url: SecretStr = Field(description="Where the objects are: postgresql://user:password@host:port/name")
    database_schema: str = Field(default="threeport", description="The SQL schema of this installation.")
    nats_url: str = Field(description="Where notifications go: nats://host:port")
    nats_user: str | None = None
    nats_password: SecretStr | None = None
    nats_ca: Path | None = Field(default=None, description="CA of the NATS server (PEM); TLS is used if given.")
    nats_cert: Path | None = Field(default=None, description="Client certificate for NATS (PEM).")
    nats_key: Path | None = None
    nats_stream: str = Field(default="THREEPORT", description="Name of the JetStream stream.")
    nats_subject: str = Field(default="threeport", description="First token of the subjects of notifications.")
    tls_cert: Path = Field(description="Certificate of this server (PEM).")
    tls_key: Path = Field(description="Its key (PEM).")
    client_ca: Path = Field(description="The authority whose client certificates are accepted (PEM).")
    keys_dir: Path = Field(description="Directory with sealing.key and tokens.key.")
    max_connections: int = Field(default=10_000, gt=0)
    max_requests: int = Field(default=400, gt=0, description="Requests at once, watches not counted; more get 429.")
    max_watches: int = Field(default=5_000, gt=0)
    max_share: float = Field(
        default=0.5, gt=0, le=1, description="The part of max_requests, and of max_watches, that one identity may have."
    )

    @field_validator("listen")
    @classmethod
    def _has_a_port(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        if not host or not port.isascii() or not port.isdecimal() or len(port) > 5 or int(port) > 65535:
            raise ValueError("expected HOST:PORT, such as 127.0.0.1:7443, with a port up to 65535")
        return listen

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 for any free one."""
        return int(self.listen.rpartition(":")[2])
