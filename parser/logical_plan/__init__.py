"""Catalyst's logical plan, as the facet spark.logicalPlan contains it: from JSON to column lineage and SQL text."""
