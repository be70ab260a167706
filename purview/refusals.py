"""The meaning of the Data Map's refusals, and what a person can do about them.

Only a refusal that the content of the request causes is final (``CatalogRefused``). A cause that an operator can change
(a role, a firewall, an address) is retried (``CatalogDenied``), and so is a conflict with another writer
(``CatalogConflict``).

The codes are Apache Atlas', whose answers Purview gives literally
(https://github.com/apache/atlas/blob/master/intg/src/main/java/org/apache/atlas/AtlasErrorCode.java).
"""

import json
import re

from core.errors import CatalogConflict, CatalogDenied, CatalogRefused, SparklinError

UNKNOWN_TYPE = "ATLAS-400-00-014"
BAD_INSTANCE = "ATLAS-404-00-007"
UNKNOWN_REFERENCE = "ATLAS-404-00-00A"
UNKNOWN_NAME = "ATLAS-404-00-009"
UNKNOWN_GUID = "ATLAS-404-00-005"

_UNKNOWN_TYPE = re.compile(r"Type ENTITY with name (\S+) does not exist")
_MANDATORY = re.compile(r"passed : (\w+)\.\w+: mandatory attribute value missing")

# 400: Atlas or the gateway cannot work with the request; 413, 414, 415, 422, 431: it is too large, or unreadable.
_OF_CONTENT = (400, 413, 414, 415, 422, 431)
_CONFLICT = (409, 412)

_CURATOR = (
    "Give the app's identity the role Data Curator on {} (`sparklin grant`, or the portal: Data Map, Domains and "
    "collections, Role assignments), and check that Purview's firewall lets the app in."
)
_ANY_COLLECTION = "the collection of the assets, or on the root collection if no collection is set"
_ENDPOINT = "Check PURVIEW_ENDPOINT: it is the address of the account, such as https://<account>.purview.azure.com."
_LOCKED = "Purview, or what is to be written, is locked: remove the lock."
_REPORT = "Look at the entities with `sparklin preview`; report the message if they look right."


class UnusableType(CatalogRefused):
    """The catalogue does not know the type ``type_name``, or requires attributes that the app cannot set."""

    type_name = ""


class ReferenceMissing(CatalogRefused):
    """An entity refers to one that the catalogue does not have, or no longer has."""


def refusal(status: int, body: str, request: str, collection: str = "") -> SparklinError:
    """The exception for an answer that is neither a success nor a temporary fault.

    :param body: the answer as text; Atlas' own are ``{"errorCode": …, "errorMessage": …}``.
    :param request: method and path, for people.
    :param collection: the internal name of the collection that the request was for, if it named one.
    """
    code, message = _read(body)
    reason = f"{request} was refused: {status} {code} {message}".rstrip()
    if status in _CONFLICT:
        return CatalogConflict(reason)
    if status not in _OF_CONTENT and not (status == 404 and code.startswith("ATLAS-")):
        return CatalogDenied(status, code, reason, _remedy(status, collection))
    kind = _KINDS.get(code, CatalogRefused)
    type_name = _type_name(code, message)
    if type_name:
        kind = UnusableType
    error = kind(status, code, reason, _REPORT)
    if isinstance(error, UnusableType):
        error.type_name = type_name
    return error


def _read(body: str) -> tuple[str, str]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return "", " ".join(re.sub(r"<[^>]*>", " ", body).split())[:300]
    # Azure's gateways answer {"error": {"code": …, "message": …}}.
    error = answer.get("error")
    inner = error if isinstance(error, dict) else answer
    code = inner.get("errorCode") or inner.get("code") or ""
    message = inner.get("errorMessage") or inner.get("message") or ""
    return str(code), str(message)[:1000]


def _type_name(code: str, message: str) -> str:
    pattern = {UNKNOWN_TYPE: _UNKNOWN_TYPE, BAD_INSTANCE: _MANDATORY}.get(code)
    match = pattern.search(message) if pattern else None
    return match[1] if match else ""


def _remedy(status: int, collection: str) -> str:
    if status in (401, 403):
        return _CURATOR.format(f"the collection {collection}" if collection else _ANY_COLLECTION)
    return _LOCKED if status == 423 else _ENDPOINT


_KINDS: dict[str, type[CatalogRefused]] = {
    UNKNOWN_REFERENCE: ReferenceMissing,
    UNKNOWN_NAME: ReferenceMissing,
}
