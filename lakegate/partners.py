"""The partners of a home or of a stage on AWS, in the same words; a grant from a few options, checked before it is
written."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from athena.errors import NotFound, Refused
from athena.grants import DatasetGrant, Grant, Limits
from athena.settings import Settings, read_settings

if TYPE_CHECKING:
    from api.callers.credentials import Client, Credentials, Issued


class Partners(Protocol):
    """Whoever may ask, in one home or stage; every change counts from the next request on. For a stage:
    `infra/deployment/partner.py`."""

    def names(self) -> tuple[str, ...]:
        """Who has a grant or an active client, sorted."""
        ...

    def grant(self, name: str) -> Grant | None:
        """What the partner may see now."""
        ...

    def clients(self, name: str) -> "tuple[Client, ...]":
        """The partner's clients, oldest first."""
        ...

    def is_known(self, name: str) -> bool:
        """Whether there is or ever was such a partner."""
        ...

    def admit(self, name: str, wished: Grant | None) -> Mapping[str, str]:
        """See to it that there is a grant: as wished, or the one that is there; where it stands.

        Raises `Refused`: `partner-exists` when the wish would change one, `grant-invalid` when it does not fit the
        datasets, `no-grant` when there is neither grant nor wish.
        """
        ...

    def add_client(self, name: str) -> "Issued":
        """One more client; its secret is told here and never again."""
        ...

    def addresses(self) -> Mapping[str, str]:
        """What a machine must know beside its id and secret."""
        ...

    def revoke_client(self, client_id: str) -> None:
        """Refuse this client."""
        ...

    def revoke_clients(self, name: str) -> int:
        """Refuse all of the partner's clients; how many could ask until now."""
        ...

    def remove_grant(self, name: str) -> bool:
        """Grant nothing any more; whether there was a grant."""
        ...


@dataclass(frozen=True)
class HomePartners:
    """The partners of a home on this machine."""

    home: Path

    def names(self) -> tuple[str, ...]:
        """Who has a grant or an active client, sorted."""
        from athena.grants.files import FileGrants

        active = (client.partner for client in self._credentials.clients() if client.revoked_at is None)
        return tuple(sorted({*FileGrants(self._settings.partners).partners(), *active}))

    def grant(self, name: str) -> Grant | None:
        """What the partner may see now."""
        from athena.grants.files import FileGrants

        return FileGrants(self._settings.partners).get(name)

    def clients(self, name: str) -> "tuple[Client, ...]":
        """The partner's clients, oldest first, revoked ones included."""
        return self._credentials.clients(name)

    def is_known(self, name: str) -> bool:
        """Whether there is or ever was such a partner."""
        return name in self.names() or bool(self.clients(name))

    def admit(self, name: str, wished: Grant | None) -> Mapping[str, str]:
        """The grant's file: the one that is there, or one written as wished."""
        from athena.grants.files import FileGrants, write_grant

        path = self._settings.partners / f"{name}.toml"
        if name in FileGrants(self._settings.partners).partners():
            if wished is not None:
                raise Refused(
                    f"{path} is there already.",
                    "Edit that file to change it; without --dataset and --description this makes one more client.",
                    code="partner-exists",
                )
            return {"grant": str(path)}
        if wished is None or not wished.datasets:
            raise Refused(
                f"{name} has no grant, and none was asked for.",
                f"Name what they may see with --dataset DATASET, or write {path} first.",
                code="no-grant",
            )
        _check(self.home, wished)
        return {"grant": str(write_grant(self._settings.partners, wished))}

    def add_client(self, name: str) -> "Issued":
        """One more client; its secret is told here and never again."""
        return self._credentials.add_client(name)

    def addresses(self) -> Mapping[str, str]:
        """Nothing: the server says where it listens."""
        return {}

    def revoke_client(self, client_id: str) -> None:
        """Refuse this client."""
        self._credentials.revoke_client(client_id)

    def revoke_clients(self, name: str) -> int:
        """Refuse all of the partner's clients; how many could ask until now."""
        return self._credentials.revoke_partner(name)

    def remove_grant(self, name: str) -> bool:
        """Grant nothing any more; whether there was a grant."""
        from athena.grants.files import FileGrants, remove_grant

        granted = name in FileGrants(self._settings.partners).partners()
        if granted:
            remove_grant(self._settings.partners, name)
        return granted

    @cached_property
    def _settings(self) -> Settings:
        return read_settings(self.home)

    @cached_property
    def _credentials(self) -> "Credentials":
        from api.callers.credentials import Credentials

        return Credentials.embedded(self._settings)


def revoke(partners: Partners, name: str, client: str | None) -> tuple[int, bool]:
    """End one client, or all of them and the grant: how many could ask, and whether a grant went. Raises `NotFound`."""
    _check_known(partners, name, client)
    if client is not None:
        partners.revoke_client(client)
        return 1, False
    # First what is seen, then who asks: interrupted between the two, nothing is seen.
    granted = partners.remove_grant(name)
    return partners.revoke_clients(name), granted


def rotate(partners: Partners, name: str, client: str | None) -> "tuple[Issued, tuple[str, ...]]":
    """A new client instead of one, or of all that there are, and their ids; the grant stays. Raises `NotFound`."""
    _check_known(partners, name, client)
    active = [one.client_id for one in partners.clients(name) if one.revoked_at is None]
    if not active and partners.grant(name) is None:
        raise no_partner(name)
    issued = partners.add_client(name)
    ended = tuple(one for one in active if client in (None, one))
    for one in ended:
        partners.revoke_client(one)
    return issued, ended


def _check_known(partners: Partners, name: str, client: str | None) -> None:
    if not partners.is_known(name):
        raise no_partner(name)
    if client is not None and client not in {one.client_id for one in partners.clients(name)}:
        raise no_partner(client)


def no_partner(name: str) -> NotFound:
    """Neither a partner nor a client."""
    return NotFound(f"There is no partner or client {name!r}.", "See `lakegate partner list`.", code="no-partner")


@dataclass(frozen=True, slots=True)
class Wish:
    """What `lakegate partner add` was told. `rows` and `columns` belong to the one dataset that there is then."""

    name: str
    description: str = ""
    datasets: tuple[str, ...] = ()
    rows: str | None = None
    columns: tuple[str, ...] = ("*",)


def grant_of(wish: Wish) -> Grant:
    """The grant that was wished for."""
    given = DatasetGrant(rows=wish.rows, columns=wish.columns)
    return Grant(wish.name, wish.description, dict.fromkeys(wish.datasets, given), Limits(), digest="")


def _check(home: Path, grant: Grant) -> None:
    from athena.entitlement import grant_problems
    from athena.lake import Lake

    with Lake.embedded(home) as lake:
        heads = {head.dataset: head for head in lake.heads.all()}
    problems = grant_problems(grant, heads)
    if problems:
        raise Refused(
            f"The grant of {grant.partner} does not fit the lake: {'; '.join(one.rstrip('.') for one in problems)}.",
            "See `lakegate datasets` and `lakegate describe DATASET`; nothing was written.",
            code="grant-invalid",
        )
