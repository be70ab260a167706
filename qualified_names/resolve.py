"""The names that a dataset may have in Purview.

The order of decisions:
1. One spelling: slashes, schemes and hosts as in core.identity, so that all agents' spellings get one answer.
2. The place: bookkeeping folders, part files and partition folders are cut, a Databricks mount becomes its source
   (qualified_names.places).
3. The rules, the user's before the shipped ones: the first that matches names the assets. What it would create comes
   first; further names of the same data (views, hosts, resource set patterns) follow and are only looked up.
4. A rule that matches but needs to know more (a GUID that no event tells) ends the search: the dataset becomes a
   generic one, and a note says which setting would help.
5. Nothing matches: type ``DataSet``, qualified name ``namespace/name``.
6. Symlinks to catalogues (Unity Catalog, Hive) add their tables' names at the end, since the data's location is what
   all agents agree on; in storage that a catalogue hides from users (``__unitystorage``) they come first.

Nothing here reads files or the network, and no dataset makes it raise.
"""

from dataclasses import replace

from core.identity import dataset_id
from core.model import AssetName, Dataset, NameContext, Note, Resolution, Symlink
from qualified_names.matching import Match, applies, match
from qualified_names.namespace import without_secrets
from qualified_names.places import Place, place
from qualified_names.rule import Rules

GENERIC_RULE = "generic"
GENERIC_TYPE = "DataSet"

_TABLE_FORMATS = ("delta", "iceberg", "hudi")
_HIDDEN_STORAGE = "__unitystorage"


def resolve(dataset: Dataset, context: NameContext, rules: Rules) -> Resolution:
    """The names of a dataset, in the order in which they are to be looked up; the first is what is created."""
    dataset = _one_spelling(dataset)
    where = place(dataset.id, context.mount_points, is_folder=dataset.storage_layer.lower() in _TABLE_FORMATS)
    own = _resolve(dataset, where, context, rules)
    catalogues = _catalogue_names(dataset, context, rules)
    if catalogues and _HIDDEN_STORAGE in where.id.name.split("/"):
        own = replace(own, asset=catalogues[0], candidates=(*catalogues, *own.candidates))
    candidates = tuple(dict.fromkeys((*own.candidates, *catalogues)))
    return replace(own, candidates=candidates, short_name=_table_symlink(dataset) or own.short_name)


def _one_spelling(dataset: Dataset) -> Dataset:
    normal = dataset_id(dataset.id.namespace, dataset.id.name)
    return dataset if normal == dataset.id else replace(dataset, id=normal)


def _resolve(dataset: Dataset, where: Place, context: NameContext, rules: Rules) -> Resolution:
    notes = (where.note,) if where.note else ()
    for rule in rules.rules:
        found = match(rule, where, context)
        if found and found.names:
            return _resolution(dataset, found, notes)
        if found:
            return replace(_generic(dataset, where, rule.name, (*notes, *found.notes)), short_name=found.short_name)
    return _generic(dataset, where, GENERIC_RULE, notes or _unread(where, rules))


def _resolution(dataset: Dataset, found: Match, notes: tuple[Note, ...]) -> Resolution:
    return Resolution(
        dataset=dataset,
        rule=found.rule.name,
        asset=found.names[0],
        candidates=found.names,
        short_name=found.short_name,
        notes=(*notes, *found.notes),
    )


def _generic(dataset: Dataset, where: Place, rule: str, notes: tuple[Note, ...]) -> Resolution:
    namespace = without_secrets(where.id.namespace)
    name = AssetName(GENERIC_TYPE, "/".join(part for part in (namespace, where.id.name) if part) or "unknown")
    short = where.id.name.rpartition("/")[2] or namespace or "unknown"
    return Resolution(dataset, rule, name, (name,), short, notes)


def _unread(where: Place, rules: Rules) -> tuple[Note, ...]:
    """A note if rules know the store, but none could read the name."""
    if all(applies(rule, where) is None for rule in rules.rules):
        return ()
    text = f"The rules for {where.namespace.scheme} cannot read the name {where.id.name!r}."
    return (Note("name-not-understood", text, where.id),)


def _catalogue_names(dataset: Dataset, context: NameContext, rules: Rules) -> tuple[AssetName, ...]:
    found = (_catalogue_match(link, context, rules) for link in dataset.symlinks if link.type.upper() == "TABLE")
    return tuple(name for item in found if item for name in item.names)


def _catalogue_match(link: Symlink, context: NameContext, rules: Rules) -> Match | None:
    where = place(dataset_id(link.namespace, link.name), {})
    return next((found for rule in rules.rules if rule.for_symlinks and (found := match(rule, where, context))), None)


def _table_symlink(dataset: Dataset) -> str:
    """The table's own name, where a symlink tells it."""
    names = (
        link.name.rpartition(".")[2].rpartition("/")[2] for link in dataset.symlinks if link.type.upper() == "TABLE"
    )
    return next((name.strip() for name in names if name.strip()), "")
