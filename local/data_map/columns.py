"""The columns of a dataset."""

from dataclasses import dataclass

from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem
from local.data_map.views import related_entities

# The attributes of column types that contain the type of values, the most common first.
_TYPE_ATTRIBUTES = ("data_type", "type", "dataType")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a dataset."""

    name: str
    type: str = ""
    description: str = ""


def columns_of(types: TypeSystem, session: Session, entity: Entity) -> tuple[Column, ...]:
    """The columns of a dataset: its own, else those of its tabular schema, in the order of creation."""
    found = related_entities(types, session, entity)
    attribute = types.entity(entity.type).columns
    schemas = [other for _, other in found.get("tabular_schema", ())]
    if attribute in found:
        columns = [other for _, other in found[attribute]]
    elif schemas:
        columns = [other for _, other in related_entities(types, session, schemas[0]).get("columns", ())]
    else:
        columns = []
    return tuple(_column(each) for each in columns)


def _column(entity: Entity) -> Column:
    values = (entity.attributes.get(name) for name in _TYPE_ATTRIBUTES)
    kind = next((str(value) for value in values if value), "")
    return Column(entity.display_text, kind, str(entity.attributes.get("description") or ""))
