"""Checks of the collections for new assets, with your own identity."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from cli.checks.check import Check, note, ok, skipped, wrong
from core.errors import CatalogRefused, CatalogUnavailable
from core.settings import Settings
from purview.clouds import is_unified
from purview.collection_roles import Collection, CollectionRoles

_NAME = "collection"
_GRANT = "sparklin grant <object id of the app's identity> --collection"


def check_collections(settings: Settings) -> Iterator[Check]:
    """Whether PURVIEW_COLLECTION and PURVIEW_COLLECTIONS have internal names of collections; the domain of each."""
    wanted = _wanted(settings)
    if not wanted:
        if is_unified(urlsplit(settings.purview_endpoint).hostname or ""):
            found = "new assets go to the root collection of the tenant's default domain"
            yield note(_NAME, found, "set PURVIEW_COLLECTION if they belong in another collection or domain")
        return
    try:
        with CollectionRoles(settings.purview_endpoint, settings.purview_auth) as roles:
            known = roles.collections_with_domains()
    except (CatalogRefused, CatalogUnavailable) as error:
        found = f"{', '.join(wanted)} cannot be looked up: {error.reason}"
        yield skipped(_NAME, found)
        return
    for name, setting in wanted.items():
        yield _check(name, setting, known)


def _wanted(settings: Settings) -> Mapping[str, str]:
    """The collections in the settings, each with the setting that names it."""
    by_namespace = dict.fromkeys(sorted(settings.purview_collections.values()), "PURVIEW_COLLECTIONS")
    named = {settings.purview_collection: "PURVIEW_COLLECTION"} if settings.purview_collection else {}
    return by_namespace | named


def _check(name: str, setting: str, known: Sequence[Collection]) -> Check:
    check = f"{_NAME} {name}"
    for each in known:
        if each.name == name:
            shown = f" ({each.friendly_name})" if each.friendly_name else ""
            domain = f" in the domain {each.domain}" if each.domain else ""
            found = f"it exists{shown}{domain}; the app uses its own identity, which needs Data Curator there"
            return ok(check, found)
    shown_so = [each for each in known if name.casefold() == each.friendly_name.casefold()]
    if shown_so:
        internal = " or ".join(f"{each.name}{f' (domain {each.domain})' if each.domain else ''}" for each in shown_so)
        return wrong(check, f"{setting} has the name that people see", f"set the internal name: {internal}")
    found = f"{setting}: you see no collection of this internal name"
    return wrong(check, found, f"correct it, or have somebody show you the collection; then {_GRANT} {name}")
