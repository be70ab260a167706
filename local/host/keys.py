"""Access keys: which level a request has, by the key in `x-functions-key` or, without that, in `?code=`."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

_HEADER = "x-functions-key"
_QUERY = "code"


def _new_key() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Keys:
    """The host's keys: for functions, for extensions' webhooks (`blobs_extension`), and the master key.

    `named` are those of a level by their names, which can be changed while the host runs; at first `default` and
    `blobs_extension`.
    """

    function: str = field(default_factory=_new_key, repr=False)
    system: str = field(default_factory=_new_key, repr=False)
    master: str = field(default_factory=_new_key, repr=False)
    named: dict[str, dict[str, str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named = {"function": {"default": self.function}, "system": {"blobs_extension": self.system}}
        object.__setattr__(self, "named", named)

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "Keys":
        """Keys from `LOCAL_HOST_{FUNCTION,SYSTEM,MASTER}_KEY`; those not set are generated."""
        return cls(
            function=settings.get("LOCAL_HOST_FUNCTION_KEY") or _new_key(),
            system=settings.get("LOCAL_HOST_SYSTEM_KEY") or _new_key(),
            master=settings.get("LOCAL_HOST_MASTER_KEY") or _new_key(),
        )

    def level(self, request: Request) -> str:
        """`admin`, `system`, `function`, or `anonymous` if the request has no key or a wrong one."""
        given = request.headers.get(_HEADER)
        if given is None:
            given = query_value(request, _QUERY) or ""
        named = ((level, key) for level, keys in self.named.items() for key in list(keys.values()))
        known = (("admin", self.master), *named)
        # Each is compared, in constant time, so that the time of the answer reveals nothing.
        fitting = [level for level, key in known if hmac.compare_digest(given.encode(), key.encode())]
        return fitting[0] if fitting else "anonymous"

    def allow(self, request: Request, needed: str) -> bool:
        """Whether a request has the level `needed`; the master key has every level."""
        return needed == "anonymous" or self.level(request) in {needed, "admin"}


def query_value(request: Request, name: str) -> str | None:
    """A query value by its name in lower case, as ASP.NET finds it without case; None if there is none."""
    return next((value for key, value in request.query_params.multi_items() if key.lower() == name), None)
