"""Sovereign clouds and the unified address: tokens, root collections. Names of stores are in the cases of names."""

import pytest

from core.errors import CatalogRefused
from purview.clouds import is_unified, scope_of
from purview.collection_roles import CollectionRoles

TENANT = "00000000-0000-0000-0000-000000000002"


@pytest.mark.parametrize(
    ("host", "scope", "unified"),
    [
        ("contoso.purview.azure.com", "https://purview.azure.net/.default", False),
        ("contoso.purview.azure.us", "https://purview.azure.us/.default", False),
        ("Contoso.Purview.Azure.CN", "https://purview.azure.cn/.default", False),
        ("api.purview-service.microsoft.com", "https://purview.azure.net/.default", True),
        (f"{TENANT}-api.purview-service.microsoft.com", "https://purview.azure.net/.default", True),
        # Neither is what it resembles, so neither gets another cloud's token.
        ("contoso.purview.azure.us.example.com", "https://purview.azure.net/.default", False),
        ("evil-purview-service.microsoft.com", "https://purview.azure.net/.default", False),
        ("127.0.0.1", "https://purview.azure.net/.default", False),
    ],
)
def test_a_host_says_which_token_it_takes(host: str, scope: str, unified: bool) -> None:
    assert (scope_of(host), is_unified(host)) == (scope, unified)


def test_the_unified_address_does_not_name_the_root_collection() -> None:
    with (
        CollectionRoles("https://api.purview-service.microsoft.com", "none") as roles,
        pytest.raises(CatalogRefused, match="no account") as refused,
    ):
        _ = roles.root
    assert "--collection" in refused.value.remedy
