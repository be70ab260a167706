"""Names of assets that no other test has, so that tests may share one storage."""

from core.catalog_model import AssetName
from storage.asset_cache import asset_key
from tests.storage.runs import new_run


def a_name(text: str = "") -> AssetName:
    return AssetName("azure_sql_table", f"mssql://x/{new_run()}/{text}")


def neighbours(number: int) -> list[AssetName]:
    """Names whose rows are in one partition."""
    first, *others = (a_name(str(each)) for each in range(5_000))
    return [first, *(name for name in others if asset_key(name).partition == asset_key(first).partition)][:number]
