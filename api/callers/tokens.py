"""Bearer tokens: JWTs (RFC 9068) signed with RS256, as Cognito does it in the AWS home, and with nothing else."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import GuestProtocol, RSAKey
from joserfc.jws import JWSRegistry

from api.callers import SCOPE
from api.callers.keys import Ring, SigningKeys
from athena.errors import Unauthenticated
from athena.lake import Clock

ALGORITHM = "RS256"
TYPE = "at+jwt"
MAX_TOKEN_LENGTH = 4096
MAX_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token that holds says: whose it is, and from when it no longer holds (seconds since 1970)."""

    client_id: str
    ends: int


class Tokens:
    """Makes and verifies the tokens of one home, whose `issuer` no other home's tokens name."""

    def __init__(self, keys: SigningKeys, *, issuer: str, lifetime_seconds: int, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._remembered = _Remembered()
        self.lifetime_seconds = lifetime_seconds

    def issue(self, client_id: str) -> str:
        """A token of `client_id` that holds from now on for `lifetime_seconds`."""
        now = int(self._clock().timestamp())
        key = self._keys.signing()
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": client_id,
            "client_id": client_id,
            "scope": SCOPE,
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime_seconds,
            "jti": secrets.token_hex(16),
        }
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM])

    def verify(self, token: str) -> Verified:
        """Whose token this is; raises `Unauthenticated`, the same for everything that can be wrong with it."""
        now = int(self._clock().timestamp())
        ring = self._keys.ring()
        digest = sha256(token.encode("utf-8", "replace")).digest()
        found = self._remembered.get(ring, digest)
        if found is None:
            found = self._decoded(token, ring, now)
            self._remembered.put(ring, digest, found)
        if found.ends <= now:
            raise refused()
        return found

    def published(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517)."""
        described = {"use": "sig", "alg": ALGORITHM}
        return {"keys": [{**key.as_dict(private=False), **described} for key in self._keys.ring().keys.values()]}

    def _decoded(self, token: str, ring: Ring, now: int) -> Verified:
        if len(token) > MAX_TOKEN_LENGTH:
            raise refused()

        def named(guest: GuestProtocol) -> RSAKey:
            key = ring.keys.get(str(guest.headers().get("kid")))
            if key is None:
                raise InvalidKeyIdError
            return key

        try:
            found = jwt.decode(token, named, registry=JWSRegistry(algorithms=[ALGORITHM]))
            self._rules(now).validate(found.claims)
        except (JoseError, ValueError) as error:
            raise refused() from error
        if found.header.get("typ") != TYPE or SCOPE not in str(found.claims["scope"]).split():
            raise refused()
        return Verified(str(found.claims["client_id"]), int(found.claims["exp"]))

    def _rules(self, now: int) -> jwt.JWTClaimsRegistry:
        mine: jwt.ClaimsOption = {"essential": True, "value": self._issuer}
        there: jwt.ClaimsOption = {"essential": True}
        # exp has no leeway: it is our own clock that wrote it.
        return jwt.JWTClaimsRegistry(
            now=now, iss=mine, aud=mine, exp=there, nbf=there, iat=there, client_id=there, scope=there
        )


def refused() -> Unauthenticated:
    """The one answer to all credentials that do not hold."""
    return Unauthenticated(
        "There is no valid bearer token in the Authorization header.",
        "Fetch a token with your client id and secret at POST /oauth2/token and send it as `Authorization: Bearer …`.",
    )


class _Remembered:
    """The last tokens that held, by digest, for one ring of keys; bounded, and empty again when the keys change."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ring: Ring | None = None
        self._found: OrderedDict[bytes, Verified] = OrderedDict()

    def get(self, ring: Ring, digest: bytes) -> Verified | None:
        with self._lock:
            return self._found.get(digest) if self._ring is ring else None

    def put(self, ring: Ring, digest: bytes, verified: Verified) -> None:
        with self._lock:
            if self._ring is not ring:
                self._ring, self._found = ring, OrderedDict()
            self._found[digest] = verified
            if len(self._found) > MAX_REMEMBERED:
                self._found.popitem(last=False)
