"""The section of config.yaml about what listens on the network; by default nothing does."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from kiosk.config.devices import Section
from kiosk.config.problems import Wrong

Subject = Annotated[str, Field(min_length=4, max_length=256)]


class Tls(Section):
    """Screens on other computers, over TLS with client certificates; all or nothing of it."""

    address: str = Field(
        description="of this computer, where it listens: an IP address; 0.0.0.0 or :: for all"
    )
    port: int = Field(default=7443, ge=1024, le=65_535, description="TCP port")
    certificate: Path = Field(strict=False, description="the lane's, PEM, with its chain")
    key: Path = Field(strict=False, description="its key, PEM, mode 0600")
    client_ca: Path = Field(
        strict=False, description="who vouches for the screens' certificates, PEM; nobody else does"
    )
    crl: Path | None = Field(
        default=None,
        strict=False,
        description="certificates that were taken back, PEM; out of date, it lets nobody in",
    )
    clients: dict[Subject, Literal["proctor", "technician"]] = Field(
        min_length=1,
        max_length=64,
        description="subject of each certificate as RFC 4514 writes it (`CN=desk-1,O=Hall`) and "
        "which screen it is; who may do what there follows from who logs in",
    )

    @field_validator("address")
    @classmethod
    def _is_one(cls, value: str) -> str:
        try:
            ip_address(value)
        except ValueError as error:
            raise Wrong(
                "must be an IP address, for example 192.0.2.10", "须为 IP 地址，例如 192.0.2.10"
            ) from error
        return value

    def from_folder(self, folder: Path) -> Tls:
        """With absolute paths; relative ones start at `folder`."""
        given = {n: getattr(self, n) for n in ("certificate", "key", "client_ca", "crl")}
        files: dict[str, Any] = {n: folder / f.expanduser() for n, f in given.items() if f}
        return self.model_copy(update=files)


class Network(Section):
    """What listens on the network; empty: nothing."""

    tls: Tls | None = None
