"""Checks of the catalogue, with your own identity."""

from collections.abc import Iterator

from cli.checks.check import Check, ok, skipped, wrong
from core.catalog_model import AssetName
from core.errors import CatalogDenied, CatalogRefused, CatalogUnavailable
from purview.catalog import Catalog
from purview.process_name import PROCESS_TYPE

_NEEDED = ("columnMapping",)
_READER = "grant 'Data Reader' on its collection: Purview's portal, Data Map > Collections > Role assignments"


def check_catalogue(
    catalog: Catalog, asset: tuple[str, str] | None, process_type: str = PROCESS_TYPE
) -> Iterator[Check]:
    """The token, the role, the type of processes, and whether an existing asset can be found."""
    name = "Purview"
    try:
        attributes = catalog.attributes_of(process_type)
    except CatalogDenied as error:
        yield wrong(name, error.reason.removeprefix(f"{name}: "), error.remedy)
        return
    except CatalogUnavailable as error:
        yield wrong(
            name,
            error.reason.removeprefix(f"{name}: "),
            "az login; check PURVIEW_ENDPOINT, and whether its network lets you in; for the local stack: make up",
        )
        return
    except CatalogRefused as error:
        repair = (
            "PURVIEW_ENDPOINT must be that of a Purview account: az purview account show -g <group> -n <account>"
            if process_type == PROCESS_TYPE
            else "PROCESS_NAMING needs it: create it as the old tool did (docs/migration.md), or remove that setting"
        )
        yield wrong("type", f"the catalogue does not know the type {process_type}: {error.reason}", repair)
        return
    yield ok(name, "it answers, and accepts the token")
    lacking = [needed for needed in _NEEDED if needed not in attributes]
    if lacking:
        repair = "it is a built-in type of Purview: PURVIEW_ENDPOINT must be that of a Purview account"
        yield wrong("type", f"{process_type} has no attribute {', '.join(lacking)}", repair)
    else:
        yield ok("type", f"{process_type} is known, with {', '.join(_NEEDED)}")
    yield _visible(catalog, asset)


def _visible(catalog: Catalog, asset: tuple[str, str] | None) -> Check:
    name = "visible asset"
    if asset is None:
        return skipped(name, "give --asset TYPE QUALIFIED_NAME of an asset that you see in the portal")
    wanted = AssetName(*asset)
    try:
        found = catalog.find([wanted])
    except (CatalogRefused, CatalogUnavailable) as error:
        return wrong(name, error.reason, _READER)
    if wanted in found:
        return ok(name, "it is found; the app uses its own identity, which needs the same role")
    return wrong(name, f"{wanted.type_name} {wanted.qualified_name} is not found: duplicates would be created", _READER)
