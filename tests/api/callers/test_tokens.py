"""Every way in which a token can be wrong, and that all of them are refused with the same words."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from api.callers.bearer import Bearers
from api.callers.credentials import SCHEMA, Credentials
from api.callers.keys import SigningKeys, rotate_keys
from api.callers.tokens import MAX_REMEMBERED, Tokens
from api.request import Incoming
from athena.errors import Unauthenticated
from athena.sqlite import Database
from tests.clock import SetClock

ISSUER = "urn:lakegate:lake"
LIFETIME = 3600


@dataclass(frozen=True, slots=True)
class House:
    folder: Path
    clock: SetClock
    keys: SigningKeys
    tokens: Tokens
    credentials: Credentials
    bearers: Bearers
    client_id: str

    def claims(self) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        return {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": self.client_id,
            "client_id": self.client_id,
            "scope": "lakegate/query",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
        }

    def header(self) -> dict[str, Any]:
        return {"alg": "RS256", "typ": "at+jwt", "kid": self.keys.ring().newest.kid}

    def signed(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token like ours but for the given header fields and claims; a claim of None is left out."""
        wanted = {name: value for name, value in {**self.claims(), **claims}.items() if value is not None}
        return jwt.encode({**self.header(), **(header or {})}, wanted, self.keys.ring().newest, algorithms=["RS256"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys for the whole module: they take time to make."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def house(tmp_path: Path, folder: Path) -> House:
    clock = SetClock()
    keys = SigningKeys(folder, clock=clock, token_lifetime_seconds=LIFETIME)
    tokens = Tokens(keys, issuer=ISSUER, lifetime_seconds=LIFETIME, clock=clock)
    credentials = Credentials(Database(tmp_path / "state.sqlite", SCHEMA), clock)
    client_id = credentials.add_client("united").client_id
    return House(folder, clock, keys, tokens, credentials, Bearers(tokens, credentials), client_id)


def asked(authorization: str | None) -> Incoming:
    return Incoming(method="GET", route="/v1/datasets", query={}, body=b"", authorization=authorization)


def test_a_token_of_ours_names_its_partner(house: House) -> None:
    token = house.tokens.issue(house.client_id)
    assert house.bearers.identify(asked(f"Bearer {token}")).partner == "united"
    assert house.bearers.identify(asked(f"bearer  {token}")).partner == "united"


def test_what_the_test_signs_itself_is_taken_when_nothing_is_wrong_with_it(house: House) -> None:
    assert house.bearers.identify(asked(f"Bearer {house.signed()}")).partner == "united"


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned(house: House) -> str:
    return f"{_encoded({**house.header(), 'alg': 'none'})}.{_encoded(house.claims())}."


def unsigned_in_capitals(house: House) -> str:
    return f"{_encoded({**house.header(), 'alg': 'NONE'})}.{_encoded(house.claims())}."


def signed_with_the_public_key_as_secret(house: House) -> str:
    public_key = house.keys.ring().newest.as_pem(private=False)
    text = f"{_encoded({**house.header(), 'alg': 'HS256'})}.{_encoded(house.claims())}"
    return f"{text}.{_base64(hmac.digest(public_key, text.encode(), 'sha256'))}"


def with_a_critical_extension(house: House) -> str:
    text = f"{_encoded({**house.header(), 'crit': ['x'], 'x': 1})}.{_encoded(house.claims())}"
    key = house.keys.ring().newest.private_key
    assert key is not None
    return f"{text}.{_base64(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def signed_by_a_stranger(house: House) -> str:
    stranger = RSAKey.generate_key(2048)
    return jwt.encode(house.header(), house.claims(), stranger, algorithms=["RS256"])


def signed_with_a_key_that_it_brings_along(house: House) -> str:
    stranger = RSAKey.generate_key(2048)
    header = {**house.header(), "jwk": stranger.as_dict(private=False)}
    return jwt.encode(header, house.claims(), stranger, algorithms=["RS256"])


def signed_with_another_algorithm(house: House) -> str:
    header = {**house.header(), "alg": "PS256"}
    return jwt.encode(header, house.claims(), house.keys.ring().newest, algorithms=["PS256"])


def signed_with_another_kind_of_key(house: House) -> str:
    header = {**house.header(), "alg": "ES256"}
    return jwt.encode(header, house.claims(), ECKey.generate_key("P-256"), algorithms=["ES256"])


def tampered_claims(house: House) -> str:
    head, _, signature = house.signed().split(".")
    return f"{head}.{_encoded({**house.claims(), 'client_id': 'c_other'})}.{signature}"


def tampered_signature(house: House) -> str:
    head, body, signature = house.signed().split(".")
    return f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def without_key_id(house: House) -> str:
    header = {name: value for name, value in house.header().items() if name != "kid"}
    return jwt.encode(header, house.claims(), house.keys.ring().newest, algorithms=["RS256"])


def of_an_unknown_client(house: House) -> str:
    return house.signed(client_id="c_nobody")


def of_a_revoked_client(house: House) -> str:
    house.credentials.revoke_client(house.client_id)
    return house.signed()


def of_a_revoked_partner(house: House) -> str:
    house.credentials.revoke_partner("united")
    return house.signed()


def cut_off(house: House) -> str:
    return house.signed()[:-20]


WRONG: dict[str, Callable[[House], str]] = {
    "unsigned": unsigned,
    "unsigned in capitals": unsigned_in_capitals,
    "public key as HMAC secret": signed_with_the_public_key_as_secret,
    "forged": signed_by_a_stranger,
    "brings its key": signed_with_a_key_that_it_brings_along,
    "PS256": signed_with_another_algorithm,
    "ES256": signed_with_another_kind_of_key,
    "claims tampered": tampered_claims,
    "signature tampered": tampered_signature,
    "expired": lambda house: house.signed(exp=int(house.clock().timestamp())),
    "never ends": lambda house: house.signed(exp=None),
    "end is a text": lambda house: house.signed(exp="tomorrow"),
    "not valid yet": lambda house: house.signed(nbf=int(house.clock().timestamp()) + 60),
    "wrong scope": lambda house: house.signed(scope="lakegate/admin"),
    "scope within a word": lambda house: house.signed(scope="xlakegate/query"),
    "no scope": lambda house: house.signed(scope=None),
    "wrong audience": lambda house: house.signed(aud="urn:other"),
    "wrong issuer": lambda house: house.signed(iss="urn:lakegate:other"),
    "no issuer": lambda house: house.signed(iss=None),
    "id token": lambda house: house.signed({"typ": "JWT"}),
    "no key id": without_key_id,
    "unknown key id": lambda house: house.signed({"kid": "other"}),
    "key id is a path": lambda house: house.signed({"kid": "../../etc/passwd"}),
    "critical extension": with_a_critical_extension,
    "unknown client": of_an_unknown_client,
    "revoked client": of_a_revoked_client,
    "revoked partner": of_a_revoked_partner,
    "no client": lambda house: house.signed(client_id=None),
    "cut off": cut_off,
    "no token": lambda _: "nonsense",
    "dots": lambda _: "..",
    "not ASCII": lambda _: "ü.ü.ü",
    "no JSON": lambda _: "AAAA.AAAA.AAAA",
    "endless": lambda _: "A" * 100_000,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_whatever_is_wrong_with_a_token_is_refused_with_the_same_words(
    house: House, wrong: Callable[[House], str]
) -> None:
    refusals = []
    for authorization in (f"Bearer {wrong(house)}", None):
        with pytest.raises(Unauthenticated) as refused:
            house.bearers.identify(asked(authorization))
        refusals.append((refused.value.code, refused.value.message, refused.value.remedy))
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic abc", "Token abc"])
def test_other_schemes_are_refused(house: House, authorization: str) -> None:
    with pytest.raises(Unauthenticated):
        house.bearers.identify(asked(authorization))


def test_two_tokens_in_one_header_are_refused(house: House) -> None:
    token = house.tokens.issue(house.client_id)
    with pytest.raises(Unauthenticated):
        house.bearers.identify(asked(f"Bearer {token}, Bearer {token}"))


def test_a_token_that_was_taken_before_is_refused_once_it_has_ended(house: House) -> None:
    token = house.tokens.issue(house.client_id)
    house.bearers.identify(asked(f"Bearer {token}"))
    house.clock.move(seconds=LIFETIME)
    with pytest.raises(Unauthenticated):
        house.bearers.identify(asked(f"Bearer {token}"))


def test_a_token_that_was_taken_before_is_refused_once_its_client_is_revoked(house: House) -> None:
    token = house.tokens.issue(house.client_id)
    house.bearers.identify(asked(f"Bearer {token}"))
    house.credentials.revoke_client(house.client_id)
    with pytest.raises(Unauthenticated):
        house.bearers.identify(asked(f"Bearer {token}"))


def test_a_token_outlives_a_rotation_but_not_its_key(tmp_path: Path) -> None:
    clock = SetClock()
    keys = SigningKeys(tmp_path, clock=clock, token_lifetime_seconds=LIFETIME)
    tokens = Tokens(keys, issuer=ISSUER, lifetime_seconds=LIFETIME, clock=clock)
    token = tokens.issue("c_1")
    clock.move(seconds=1)
    rotate_keys(tmp_path, now=clock(), token_lifetime_seconds=LIFETIME)
    assert tokens.verify(token).client_id == "c_1"
    assert len(tokens.published()["keys"]) == 2
    min(tmp_path.glob("*.pem")).unlink()
    with pytest.raises(Unauthenticated):
        tokens.verify(token)


def test_published_keys_hold_no_private_part(house: House) -> None:
    for key in house.tokens.published()["keys"]:
        assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


def test_remembered_tokens_are_bounded(house: House) -> None:
    house.tokens.verify(house.tokens.issue(house.client_id))
    ring = house.keys.ring()
    remembered = house.tokens._remembered
    verified = house.tokens.verify(house.tokens.issue(house.client_id))
    for at in range(MAX_REMEMBERED + 10):
        remembered.put(ring, at.to_bytes(4), verified)
    assert remembered.get(ring, (0).to_bytes(4)) is None
    assert len(remembered._found) == MAX_REMEMBERED
