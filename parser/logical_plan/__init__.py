"""Catalyst's logical plan, as the facet spark.logicalPlan carries it: from JSON to column lineage and SQL text."""
