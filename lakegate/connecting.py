"""`connect`: which lake an analyst means, found from arguments, the environment, or the nearest `lakegate.toml`."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from athena.errors import NotFound, Refused
from athena.settings import HOME_FILE
from lakegate.home import HOME_VARIABLE, nearest_settings

if TYPE_CHECKING:
    from athena.lake import Lake
    from lakegate.client import Link
    from lakegate.client.lake import LakeClient

URL_VARIABLE = "LAKEGATE_URL"
STAGE_VARIABLE = "LAKEGATE_STAGE"
ID_VARIABLE = "LAKEGATE_CLIENT_ID"
SECRET_VARIABLE = "LAKEGATE_CLIENT_SECRET"  # noqa: S105 - a name
TOKEN_URL_VARIABLE = "LAKEGATE_TOKEN_URL"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class Target:
    """Exactly one of `url`, `stage` and `home`; `told_by` says who named it."""

    told_by: str
    url: str | None = None
    stage: str | None = None
    home: Path | None = None
    client_id: str | None = None
    token_url: str | None = None


def connect(
    target: str | Path | None = None,
    *,
    stage: str | None = None,
    partner: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    token_url: str | None = None,
    progress: bool = True,
) -> "LakeClient":
    """A lake: `target` is a home's folder or a server's URL, `stage` a deployment on AWS. With neither, LAKEGATE_URL,
    LAKEGATE_HOME, LAKEGATE_STAGE, then the nearest `lakegate.toml` (a home's, or one with `url` or `stage`).

    A server wants `client_id` and `client_secret` (or LAKEGATE_CLIENT_ID and LAKEGATE_CLIENT_SECRET). A home or a
    stage is asked as its owner, or as `partner` sees it. With `progress` a question that takes long shows a bar, on a
    terminal and in a notebook. Raises `Refused` (`no-lake`) when there is nothing to
    connect to, `NotFound` (`no-partner`).
    """
    from lakegate.client.lake import LakeClient

    found = find_target(target, stage, os.environ, Path.cwd())
    if found.url is not None:
        if partner is not None:
            raise Refused("A server knows by the credentials who asks.", "Leave partner= out.", code="no-lake")
        return LakeClient(_server(found, client_id, client_secret, token_url), progress=progress)
    if found.stage is not None:
        return LakeClient(_stage(found.stage, partner), progress=progress)
    assert found.home is not None  # noqa: S101 - the third of three
    return LakeClient(_home(found.home, partner), progress=progress)


def find_target(target: str | Path | None, stage: str | None, environment: Mapping[str, str], folder: Path) -> Target:
    """What `connect` means, without connecting."""
    if target is not None and stage is not None:
        raise Refused("Both a target and a stage are named.", "Name one of them.", code="no-lake")
    if stage is not None:
        return Target("stage=", stage=stage)
    if target is not None:
        return _named(str(target), "the argument")
    if environment.get(URL_VARIABLE):
        return Target(URL_VARIABLE, url=environment[URL_VARIABLE])
    if environment.get(HOME_VARIABLE):
        return Target(HOME_VARIABLE, home=Path(environment[HOME_VARIABLE]))
    if environment.get(STAGE_VARIABLE):
        return Target(STAGE_VARIABLE, stage=environment[STAGE_VARIABLE])
    nearest = nearest_settings(folder)
    if nearest is not None:
        return _from_file(nearest)
    raise Refused(
        f"There is no lake to connect to: neither {folder} nor a folder above it has a {HOME_FILE}.",
        f"Name a home's folder or a server's URL, or set {URL_VARIABLE}, {HOME_VARIABLE} or {STAGE_VARIABLE}.",
        code="no-lake",
    )


def _named(target: str, told_by: str) -> Target:
    if target.startswith(("http://", "https://")):
        return Target(told_by, url=target)
    return Target(told_by, home=Path(target).expanduser())


def _from_file(path: Path) -> Target:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {error}.", "Mend it.", code="settings-invalid") from error
    for key in ("url", "stage", "client_id", "token_url"):
        if key in given and not isinstance(given[key], str):
            raise Refused(f"{path}: {key} is no text.", "Put it in quotes.", code="settings-invalid")
    if "client_secret" in given:
        raise Refused(f"{path} holds a secret.", f"Take it out and set {SECRET_VARIABLE}.", code="settings-invalid")
    if "url" in given:
        return Target(str(path), url=given["url"], client_id=given.get("client_id"), token_url=given.get("token_url"))
    if "stage" in given:
        return Target(str(path), stage=given["stage"])
    return Target(str(path), home=path.parent)


def _server(found: Target, client_id: str | None, client_secret: str | None, token_url: str | None) -> "Link":
    from lakegate.client.http import Credentials, HttpLink

    assert found.url is not None  # noqa: S101 - asked before
    name = client_id or os.environ.get(ID_VARIABLE) or found.client_id
    secret = client_secret or os.environ.get(SECRET_VARIABLE)
    if not name or not secret:
        raise Refused(
            f"{found.url} wants credentials.",
            f"Give client_id= and client_secret=, or set {ID_VARIABLE} and {SECRET_VARIABLE}.",
            code="unauthenticated",
        )
    at = token_url or os.environ.get(TOKEN_URL_VARIABLE) or found.token_url or f"{found.url.rstrip('/')}/oauth2/token"
    return HttpLink(found.url, Credentials(name, secret, at))


def _home(folder: Path, partner: str | None) -> "Link":
    from athena.lake import Lake
    from lakegate.client.home import ProcessLink

    lake = Lake.embedded(folder)
    _check_partner(lake, partner)

    def load(file: Path, dataset: str, source: str) -> Mapping[str, object]:
        from etl.ingest import load_files
        from etl.intake import Intake

        return load_files(Intake.embedded(lake), [file], dataset=dataset, source=source)[0].as_json()

    return ProcessLink(lake, where=_told(f"the home {_shown(lake.settings.home)}", partner), partner=partner, load=load)


def _stage(stage: str, partner: str | None) -> "Link":
    from athena.aws import client
    from athena.lake import Lake
    from athena.settings_aws import read_aws_settings
    from lakegate.client.home import ProcessLink

    settings = read_aws_settings(stage, os.environ, client("ssm"))
    lake = Lake.aws(settings)
    _check_partner(lake, partner)

    def land(file: Path, dataset: str, source: str) -> Mapping[str, object]:
        from etl.intake import Intake

        key = Intake.aws(settings).landing.put(file, dataset=dataset, source=source)
        # The landing bucket's event starts the job that loads it.
        return {"status": "landed", "dataset": dataset, "source": source, "file": key.text}

    return ProcessLink(lake, where=_told(f"stage {stage} on AWS", partner), partner=partner, load=land)


def _check_partner(lake: "Lake", partner: str | None) -> None:
    if partner is not None and lake.grants.get(partner) is None:
        lake.close()
        raise NotFound(f"There is no partner {partner!r}.", "See `lakegate partner list`.", code="no-partner")


def _shown(home: Path) -> str:
    """The folder as it is found from here, when it is near."""
    near = os.path.relpath(home)
    return near if near.count("..") <= 1 else str(home)


def _told(where: str, partner: str | None) -> str:
    return where if partner is None else f"{where} as partner {partner}"
