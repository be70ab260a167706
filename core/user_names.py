"""Pseudonyms in place of the users that names of notebooks contain: ``Users/anna@contoso.com/Load``."""

import hashlib
import re

# The folders of users and of their Git checkouts in a Databricks workspace; shared ones and Databricks' own stay.
_HOME = re.compile(r"(?P<home>^|.*?/)(?P<folder>Users|Repos)/(?P<user>[^/.][^/]*)(?P<rest>/.*)", re.DOTALL)
_SHARED = ("shared",)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+=?^_`{|}~\-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,252}[A-Za-z0-9])?")


def without_users(name: str) -> str:
    """The name with ``user-`` and 12 hex digits of SHA-256 for each user, the same for the same user everywhere.

    A user is the owner of the notebook's folder, or any e-mail address. Nothing is cut, so notebooks of one
    name that belong to different users stay different.
    """
    found = _HOME.fullmatch(name)
    if found and found["user"].lower() not in _SHARED:
        name = f"{found['home']}{found['folder']}/{_pseudonym(found['user'])}{found['rest']}"
    return _ADDRESS.sub(lambda address: _pseudonym(address[0]), name)


def _pseudonym(user: str) -> str:
    return f"user-{hashlib.sha256(user.lower().encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
