"""All events of a run in, lineage out."""
