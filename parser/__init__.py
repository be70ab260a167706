"""All events of a run → lineage."""
