"""Settings of the simulated clusters, from the environment (``THREEPORT_...``)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the process has to be told; each field is an environment variable of the same name."""

    model_config = SettingsConfigDict(env_prefix="THREEPORT_")

    simulated_listen: str = Field(default="127.0.0.1:7444", description="Address and port.")
    database_url: SecretStr = Field(description="postgresql://user:password@host:port/name")
    simulated_schema_prefix: str = Field(
        default="simulated_",
        pattern="^[a-z_][a-z0-9_]{0,12}$",
        description="What the names of the clusters' schemas begin with; processes that share a database differ in it.",
    )
    tls_cert: Path = Field(description="Certificate of this server (PEM).")
    tls_key: Path = Field(description="Its key (PEM).")
    simulated_token_file: Path = Field(description="File with the administrator's bearer token.")

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.simulated_listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.simulated_listen.rpartition(":")[2])
