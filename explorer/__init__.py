"""The lineage explorer: one graph from the catalogue, from LineageDetails or from event files, and a page for it."""
