"""The names that a dataset may have in Purview.

The order of decisions:
1. One spelling: slashes, schemes and hosts as in core.identity, so that all agents' spellings get one answer.
2. The place: a path in the namespace goes before the name; bookkeeping folders, part files and partition folders are
   cut, a Databricks mount becomes its source (qualified_names.locations).
3. The rules, the user's before the shipped ones: the first that matches names the assets. The asset that would be
   created comes first; further names of the same data (views, hosts, resource set patterns) are only looked up.
4. A rule that matches but lacks a value (a GUID that no event contains) ends the search: the dataset becomes a
   generic one, and a note says which setting would help.
5. Nothing matches, or the name is longer than a catalogue takes: type ``DataSet``, qualified name ``namespace/name``,
   and a note that says why.
6. Symlinks to catalogues (Unity Catalog, Hive) add their tables' names at the end, because all agents agree on the
   data's location; in storage that a catalogue hides from users (``__unitystorage``) they come first.

Nothing here reads files or the network, or raises for any dataset.
"""

from collections.abc import Iterator
from hashlib import sha256

from core.catalog_model import AssetName, NameContext, Resolution
from core.event_model import Dataset, DatasetId, Symlink
from core.identity import dataset_id
from core.lineage_model import Note
from core.replacing import replace
from core.secrets import without_secrets
from qualified_names.locations import Location, place
from qualified_names.matching import Match, fits_name, match
from qualified_names.namespace import Namespace
from qualified_names.rule import Rules

GENERIC_RULE = "generic"
GENERIC_TYPE = "DataSet"

_TABLE_FORMATS = ("delta", "iceberg", "hudi")
_HIDDEN_STORAGE = "__unitystorage"
# Purview's limit for names is 4 KB; rules are not tried on longer ones, on which they may be slow.
_LONGEST_NAME = 4096


def resolve(dataset: Dataset, context: NameContext, rules: Rules) -> Resolution:
    """The names of a dataset, in the order in which they are to be looked up; the first is what is created."""
    if _is_too_long(dataset.id):
        return _too_long(_one_spelling(dataset))
    # The place first: it sees in folders, which one spelling cuts from the name, that this is no file.
    is_folder = dataset.is_folder or dataset.storage_layer.lower() in _TABLE_FORMATS
    where = place(dataset.id, context.mount_points, is_folder=is_folder)
    dataset = _one_spelling(dataset)
    own = _resolve(dataset, where, context, rules)
    catalogues = tuple(_catalogue_matches(dataset, context, rules))
    if _HIDDEN_STORAGE in where.id.name.split("/"):
        own = _catalogue_first(own, catalogues)
    further = (name for found in catalogues for name in found.names)
    candidates = tuple(dict.fromkeys((*own.candidates, *further)))
    short_name = _table_symlink(dataset) or own.short_name
    if candidates == own.candidates and short_name == own.short_name:
        return own
    return replace(own, candidates=candidates, short_name=short_name)


def _one_spelling(dataset: Dataset) -> Dataset:
    normal = dataset_id(dataset.id.namespace, dataset.id.name)
    return dataset if normal == dataset.id else replace(dataset, id=normal)


def _resolve(dataset: Dataset, where: Location, context: NameContext, rules: Rules) -> Resolution:
    notes = (where.note,) if where.note else ()
    if _is_too_long(where.id):
        return _too_long(dataset)
    for fitting in rules.of_namespace(where.id.namespace):
        found = match(fitting, where, context)
        if found and found.names:
            return _resolution(dataset, found, notes)
        if found:
            return replace(
                _generic(dataset, where, found.rule.name, (*notes, *found.notes)), short_name=found.short_name
            )
    return _generic(dataset, where, GENERIC_RULE, (*notes, _unknown(where, rules)))


def _resolution(dataset: Dataset, found: Match, notes: tuple[Note, ...]) -> Resolution:
    return Resolution(
        dataset=dataset,
        rule=found.rule.name,
        asset=found.names[0],
        candidates=found.names,
        short_name=found.short_name,
        notes=(*notes, *found.notes),
    )


def _generic(dataset: Dataset, where: Location, rule: str, notes: tuple[Note, ...]) -> Resolution:
    namespace = without_secrets(where.id.namespace)
    name = AssetName(GENERIC_TYPE, "/".join(part for part in (namespace, where.id.name) if part) or "unknown")
    short = where.id.name.rpartition("/")[2] or namespace or "unknown"
    return Resolution(dataset, rule, name, (name,), short, notes)


def _too_long(dataset: Dataset) -> Resolution:
    """A generic asset for a name that is too long: no expression is tried on it."""
    place = Location(dataset.id, Namespace(dataset.id.namespace, ""))
    if len(dataset.id.namespace) > _LONGEST_NAME:
        scheme = dataset.id.namespace[:20].partition("://")[0]
        digest = sha256(dataset.id.namespace.encode("utf-8", "surrogatepass"))
        place = Location(DatasetId(f"{scheme}:{digest.hexdigest()[:32]}", dataset.id.name), Namespace("", ""))
    note = Note("name-too-long", "The name is longer than 4 KB.", dataset.id)
    return _generic(dataset, place, GENERIC_RULE, (note,))


def _is_too_long(dataset: DatasetId) -> bool:
    return len(dataset.namespace) + len(dataset.name) > _LONGEST_NAME


def _unknown(where: Location, rules: Rules) -> Note:
    """Why no rule named the dataset: none is for the store, or those that are cannot read the name."""
    if all(fits_name(fitting, where) is None for fitting in rules.of_namespace(where.id.namespace)):
        store = where.id.namespace
        text = f"No rule knows the store {store!r}, so its data get generic assets; NAME_RULES_FILE can teach it."
        return Note("no-rule", text, where.id)
    text = f"The rules for {where.namespace.scheme} cannot read the name {where.id.name!r}."
    return Note("name-not-understood", text, where.id)


def _catalogue_matches(dataset: Dataset, context: NameContext, rules: Rules) -> Iterator[Match]:
    for link in dataset.symlinks:
        found = _catalogue_match(link, context, rules) if link.type.upper() == "TABLE" else None
        if found:
            yield found


def _catalogue_first(own: Resolution, catalogues: tuple[Match, ...]) -> Resolution:
    """The resolution by the first catalogue that names the table; else the notes that say which values are missing."""
    found = next((found for found in catalogues if found.names), None)
    if found is None:
        return replace(own, notes=(*own.notes, *(note for other in catalogues for note in other.notes)))
    candidates = (*found.names, *own.candidates)
    return replace(own, rule=found.rule.name, asset=found.names[0], candidates=candidates)


def _catalogue_match(link: Symlink, context: NameContext, rules: Rules) -> Match | None:
    where = place(dataset_id(link.namespace, link.name), {})
    if _is_too_long(where.id):
        return None
    fitting = (each for each in rules.of_namespace(where.id.namespace) if each[0].for_symlinks)
    return next((found for each in fitting if (found := match(each, where, context))), None)


def _table_symlink(dataset: Dataset) -> str:
    """The table's own name, if a symlink contains it."""
    names = (
        link.name.rpartition(".")[2].rpartition("/")[2] for link in dataset.symlinks if link.type.upper() == "TABLE"
    )
    return next((name.strip() for name in names if name.strip()), "")
