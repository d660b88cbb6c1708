"""Partners: who may ask, and for what. The grant is a file that can be edited; clients and secrets are not."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from athena.errors import NotFound
from athena.settings import read_settings
from lakegate.commands import HomeOption, JsonOption
from lakegate.home import current_home
from lakegate.screen import Label, instant_text, print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from api.callers.credentials import Client
    from athena.grants import Grant
    from lakegate.partners import Wish

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The partner's name.", show_default=False)]

app = typer.Typer(no_args_is_help=True, help="Let others ask: add, list, show, revoke.")


@app.command()
def add(
    name: NameArgument,
    dataset: Annotated[
        list[str] | None,
        typer.Option("--dataset", "-d", help="What they may ask; may be repeated.", show_default=False),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(help="Only these rows, such as \"carrier = 'UA'\"; with one --dataset.", show_default=False),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help='Only these columns, such as "*,!tailnum"; with one --dataset.', show_default=False),
    ] = None,
    description: Annotated[str, typer.Option(help="Who that is, for people.", show_default=False)] = "",
    stage: Annotated[
        str | None, typer.Option("--stage", help="In this stage on AWS, not in a home.", show_default=False)
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a grant (unless partners/NAME.toml is there) and make a client; its secret is shown once."""
    from api.callers.credentials import Credentials
    from lakegate.partners import Wish, add_grant

    datasets = tuple(dataset or ())
    if (rows is not None or columns is not None) and len(datasets) != 1:
        raise typer.BadParameter("--rows and --columns go with exactly one --dataset.")
    wish = Wish(name, description, datasets, rows, _listed(columns))
    if stage is not None:
        _add_to_stage(stage, wish, as_json=as_json)
        return
    found = current_home(home)
    path = add_grant(found, wish)
    issued = Credentials.embedded(read_settings(found)).add_client(name)
    if as_json:
        document = {"partner": name, "client_id": issued.client_id, "client_secret": issued.secret}
        print_json({**document, "grant": str(path)})
        return
    print_text(f"client id      {issued.client_id}\nclient secret  {issued.secret}")
    print_note(
        f"The secret is shown this once. What {name} may see stands in {path}; edits count from the next request on."
    )


def _add_to_stage(stage: str, wish: "Wish", *, as_json: bool) -> None:
    from infra.deployment.partner import add_partner
    from lakegate.commands.stage import current_account
    from lakegate.partners import grant_of

    made = add_partner(stage, wish.name, grant_of(wish) if wish.datasets else None, current_account())
    if as_json:
        document = {"partner": wish.name, "client_id": made.client_id, "client_secret": made.secret}
        print_json({**document, "token_url": made.token_url, "api_url": made.api_url})
        return
    print_text(f"client id      {made.client_id}\nclient secret  {made.secret}")
    print_text(f"token url      {made.token_url}\napi url        {made.api_url}")
    print_note(f"The secret is shown this once. `lakegate push --stage {stage}` changes what {wish.name} may see.")


@app.command("list")
def list_partners(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List partners with their datasets and active clients."""
    from api.callers.credentials import Credentials
    from athena.grants.files import FileGrants

    settings = read_settings(current_home(home))
    grants, credentials = FileGrants(settings.partners), Credentials.embedded(settings)
    clients = credentials.clients()
    names = sorted({*grants.partners(), *(client.partner for client in clients if client.revoked_at is None)})
    documents = [
        _partner_json(name, grants.get(name), [one for one in clients if one.partner == name]) for name in names
    ]
    if as_json:
        print_json(documents)
    elif not documents:
        print_text("No partner yet. Add one with `lakegate partner add NAME --dataset DATASET`.")
    else:
        rows = [_partner_row(document) for document in documents]
        print_table(("partner", "datasets", "active clients", "description"), rows, right=(False, False, True, False))


@app.command()
def show(name: NameArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what a partner may see, and with which clients."""
    from api.callers.credentials import Credentials
    from athena.grants.files import FileGrants

    settings = read_settings(current_home(home))
    grant, clients = FileGrants(settings.partners).get(name), Credentials.embedded(settings).clients(name)
    if grant is None and not clients:
        raise _no_partner(name)
    document = _partner_json(name, grant, list(clients))
    if as_json:
        print_json(document)
        return
    print_text(f"{name}: {grant.description}" if grant is not None and grant.description else name)
    if grant is None or not grant.datasets:
        print_text("No grant: everything is denied.")
    else:
        shown = [(one, given.rows, ", ".join(given.columns)) for one, given in sorted(grant.datasets.items())]
        print_table(("dataset", "rows", "columns"), [(Label(a), Label(b or "all"), Label(c)) for a, b, c in shown])
    for client in clients:
        ended = f", revoked {instant_text(client.revoked_at)}" if client.revoked_at else ""
        print_text(f"client {client.client_id}, made {instant_text(client.created_at)}{ended}")


@app.command()
def revoke(
    name: NameArgument,
    client: Annotated[
        str | None, typer.Option("--client", help="Only this client; the grant stays.", show_default=False)
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take away a partner's clients and grant. It counts from the next request on."""
    from api.callers.credentials import Credentials
    from athena.grants.files import FileGrants, remove_grant

    settings = read_settings(current_home(home))
    credentials = Credentials.embedded(settings)
    granted = name in FileGrants(settings.partners).partners()
    known = {one.client_id for one in credentials.clients(name)}
    if (not granted and not known) or (client is not None and client not in known):
        raise _no_partner(name if client is None else client)
    if client is not None:
        credentials.revoke_client(client)
        ended = 1
    else:
        ended = credentials.revoke_partner(name)
        if granted:
            remove_grant(settings.partners, name)
    if as_json:
        print_json({"partner": name, "clients_revoked": ended, "grant_removed": client is None and granted})
    else:
        print_text(
            f"{name}: {ended} client{'' if ended == 1 else 's'} revoked{'' if client else ', no grant any more'}."
        )


def _listed(columns: str | None) -> tuple[str, ...]:
    return ("*",) if columns is None else tuple(part.strip() for part in columns.split(",") if part.strip())


def _partner_json(name: str, grant: "Grant | None", clients: "list[Client]") -> dict[str, object]:
    datasets = {} if grant is None else grant.datasets
    return {
        "name": name,
        "description": "" if grant is None else grant.description,
        "datasets": {
            dataset: {"rows": given.rows, "columns": list(given.columns), "mask": dict(given.mask)}
            for dataset, given in sorted(datasets.items())
        },
        "clients": [
            {
                "client_id": client.client_id,
                "created_at": instant_text(client.created_at),
                "revoked_at": None if client.revoked_at is None else instant_text(client.revoked_at),
            }
            for client in clients
        ],
    }


def _partner_row(document: dict[str, Any]) -> tuple[Label, ...]:
    active = sum(client["revoked_at"] is None for client in document["clients"])
    datasets = ", ".join(document["datasets"]) or "none"
    return Label(document["name"]), Label(datasets), Label(active), Label(document["description"])


def _no_partner(name: str) -> NotFound:
    return NotFound(f"There is no partner or client {name!r}.", "See `lakegate partner list`.", code="no-partner")
