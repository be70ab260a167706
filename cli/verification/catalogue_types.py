"""Claims about Purview's types, on which the names and entities of the app depend."""

from collections.abc import Iterator, Mapping

from cli.verification.claim import Claim
from core.errors import SparklinError
from purview.catalog import Catalog
from purview.dataset_entities import GENERIC_TYPE
from purview.process_name import PROCESS_TYPE

_PAGE = "docs/name-rules.md"
# With their own attributes, not those that they inherit.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    PROCESS_TYPE: ("columnMapping",),
    GENERIC_TYPE: (),
    "azure_datalake_gen2_resource_set": (),
    "tabular_schema": (),
    "column": ("type",),
    "fabric_lakehouse_table": (),
}
TOKEN = Claim("token and role", "Purview accepts the token, and lets you read", "docs/access.md")
TYPES = Claim("types", "the built-in types exist with the attributes that are used", _PAGE)
ALL = (TOKEN, TYPES)


def type_claims(catalog: Catalog) -> Iterator[Claim]:
    """Each claim with its result."""
    try:
        catalog.attributes_of(PROCESS_TYPE)
    except SparklinError as error:
        yield TOKEN.judged(False, str(error))
        yield TYPES.judged(None, "Purview cannot be read")
        return
    yield TOKEN.judged(True, "it answers")
    missing = []
    for name, attributes in _NEEDED.items():
        try:
            known = catalog.attributes_of(name)
        except SparklinError:
            missing.append(name)
        else:
            missing += [f"{name}.{attribute}" for attribute in attributes if attribute not in known]
    seen = f"missing: {', '.join(missing)}" if missing else f"all {len(_NEEDED)} that were checked"
    yield TYPES.judged(not missing, seen)
