"""Partners: who may ask, and for what. The grant is a file that can be edited; clients and secrets are not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakegate.commands import HomeOption, JsonOption
from lakegate.commands.stage import current_account
from lakegate.home import current_home
from lakegate.screen import Label, instant_text, print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from api.callers.credentials import Issued
    from lakegate.partners import Partners

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The partner's name.", show_default=False)]
StageOption = Annotated[
    str | None, typer.Option("--stage", help="In this stage on AWS, not in a home.", show_default=False)
]
ClientOption = Annotated[
    str | None, typer.Option("--client", help="Only this client; the grant stays.", show_default=False)
]

app = typer.Typer(no_args_is_help=True, help="Let others ask: add, list, show, revoke, rotate.")


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
    stage: StageOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a grant and make a client, whose secret is shown once.

    A grant that is there already stays as it is.
    """
    from lakegate.partners import Wish, grant_of

    datasets = tuple(dataset or ())
    if (rows is not None or columns is not None) and len(datasets) != 1:
        raise typer.BadParameter("--rows and --columns go with exactly one --dataset.")
    wish = Wish(name, description, datasets, rows, _listed(columns))
    partners = _partners(home, stage)
    admitted = partners.admit(name, grant_of(wish) if datasets or description else None)
    issued = partners.add_client(name)
    if as_json:
        print_json({**_issued_json(name, issued, partners), **admitted})
        return
    _print_issued(issued, partners)
    change = f"edit {admitted['grant']}" if "grant" in admitted else f"`lakegate push --stage {stage}`"
    print_note(
        f"The secret is shown this once. To change what {name} may see: {change}; it counts from the next request on."
    )


@app.command("list")
def list_partners(stage: StageOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List partners with their datasets and active clients."""
    partners = _partners(home, stage)
    documents = [_partner_json(name, partners) for name in partners.names()]
    if as_json:
        print_json(documents)
    elif not documents:
        print_text("No partner yet. Add one with `lakegate partner add NAME --dataset DATASET`.")
    else:
        rows = [_partner_row(document) for document in documents]
        print_table(("partner", "datasets", "active clients", "description"), rows, right=(False, False, True, False))


@app.command()
def show(name: NameArgument, stage: StageOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what a partner may see, and with which clients."""
    from lakegate.partners import no_partner

    partners = _partners(home, stage)
    grant, clients = partners.grant(name), partners.clients(name)
    if grant is None and not clients:
        raise no_partner(name)
    if as_json:
        print_json(_partner_json(name, partners))
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
    client: ClientOption = None,
    stage: StageOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take away a partner's clients and grant, or one client.

    It counts from the next request on.
    """
    from lakegate.partners import revoke as end

    ended, ungranted = end(_partners(home, stage), name, client)
    if as_json:
        print_json({"partner": name, "clients_revoked": ended, "grant_removed": ungranted})
    else:
        print_text(
            f"{name}: {ended} client{'' if ended == 1 else 's'} revoked{'' if client else ', no grant any more'}."
        )


@app.command()
def rotate(
    name: NameArgument,
    client: ClientOption = None,
    stage: StageOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new client instead of all that a partner has, or of one.

    The grant stays, and the secret is shown once. The old ones are refused from the next request on. To let a
    partner change over: add, then revoke --client.
    """
    from lakegate.partners import rotate as turn

    partners = _partners(home, stage)
    issued, ended = turn(partners, name, client)
    if as_json:
        print_json({**_issued_json(name, issued, partners), "clients_revoked": list(ended)})
        return
    _print_issued(issued, partners)
    print_note(f"The secret is shown this once. Revoked: {', '.join(ended) or 'nothing, as there was no client'}.")


def _partners(home: Path | None, stage: str | None) -> "Partners":
    if stage is None:
        from lakegate.partners import HomePartners

        return HomePartners(current_home(home))
    account = current_account()
    from infra.deployment.partner import StagePartners

    return StagePartners(stage, account)


def _issued_json(name: str, issued: "Issued", partners: "Partners") -> dict[str, Any]:
    document = {"partner": name, "client_id": issued.client_id, "client_secret": issued.secret}
    return {**document, **partners.addresses()}


def _print_issued(issued: "Issued", partners: "Partners") -> None:
    print_text(f"client id      {issued.client_id}\nclient secret  {issued.secret}")
    for word, address in partners.addresses().items():
        print_text(f"{word.replace('_', ' '):15}{address}")


def _listed(columns: str | None) -> tuple[str, ...]:
    return ("*",) if columns is None else tuple(part.strip() for part in columns.split(",") if part.strip())


def _partner_json(name: str, partners: "Partners") -> dict[str, Any]:
    grant, clients = partners.grant(name), partners.clients(name)
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
