// Types that several templates use.

@export()
@description('The tags of every resource.')
type resourceTags = { *: string }

@export()
@sealed()
@description('The optional settings of the app, all as text; docs/settings.md explains them.')
type optionalSettings = {
  PURVIEW_COLLECTION: string?
  PURVIEW_COLLECTIONS: string?
  MAX_BODY_BYTES: string?
  MAX_EXPANDED_BYTES: string?
  MAX_EXPANSION_RATIO: string?
  MAX_SEPARATORS: string?
  MAX_DATASETS: string?
  MAX_COLUMNS: string?
  MAX_PLAN_NODES: string?
  MAX_BATCH_ITEMS: string?
  STORAGE_BUDGET_SECONDS: string?
  ALLOW_OPERATIONS: string?
  EXCLUDE_JOBS: string?
  EXCLUDE_DATASETS: string?
  APPLICATION_NAME_TAILS: string?
  LINEAGE_WINDOW_DAYS: string?
  UPLOAD_REFRESH_DAYS: string?
  SETTLE_AFTER_MINUTES: string?
  SWEEP_AFTER_MINUTES: string?
  RETRY_FIRST_DELAY_SECONDS: string?
  RETRY_MAX_DELAY_SECONDS: string?
  RETRY_GIVE_UP_HOURS: string?
  MAX_CONCURRENT_UPLOADS: string?
  NAME_RULES_FILE: string?
  NAME_RULES: string?
  HIVE_CLUSTER: string?
  ONELAKE_IDS: string?
  METASTORE_IDS: string?
  SQL_KINDS: string?
  PROCESS_NAMING: string?
  USER_NAMES: string?
  EVENT_COMPRESSION: string?
  EXPRESSION_LITERALS: string?
  DATABRICKS_TASKS: string?
}
