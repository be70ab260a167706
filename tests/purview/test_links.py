"""The address of an asset's page: only for accounts whose portal has a documented one."""

import pytest

from purview.links import asset_link

GUID = "0d1f9b52-5d3a-4e3c-9c1a-7c2a4b1e5f60"
PORTAL = "https://web.purview.azure.com/resource/contoso/main/catalog/entity"


@pytest.mark.parametrize(
    ("endpoint", "link"),
    [
        ("https://contoso.purview.azure.com", f"{PORTAL}?guid={GUID}&section=lineage"),
        ("https://CONTOSO.purview.azure.com/", f"{PORTAL}?guid={GUID}&section=lineage"),
        ("https://api.purview-service.microsoft.com", ""),
        ("http://localhost:8080", f"http://localhost:8080/asset/{GUID}"),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:8080/asset/{GUID}"),
        ("https://contoso.purview.azure.com.attacker.example", ""),
        ("https://contosopurview.azure.com", ""),
        ("https://attacker.example/contoso.purview.azure.com", ""),
        ("https://contoso.purview.azure.com@attacker.example", ""),
        ("https://localhost.attacker.example", ""),
        ("https://contoso.purview.azure.cn", ""),
        ("", ""),
    ],
)
def test_only_classic_accounts_and_the_local_data_map_have_a_page(endpoint: str, link: str) -> None:
    assert asset_link(endpoint, GUID) == link


@pytest.mark.parametrize("endpoint", ["https://contoso.purview.azure.com", "http://localhost:8080"])
def test_what_is_not_in_the_catalogue_has_no_page(endpoint: str) -> None:
    assert asset_link(endpoint, "") == ""
