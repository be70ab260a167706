"""What the checks of the catalogue report."""

from cli.checks.catalogue import check_catalogue
from cli.checks.check import State
from purview.catalog import Catalog
from purview.retry_policy import RetryPolicy


def test_an_unavailable_catalogue_is_named_once() -> None:
    with Catalog("http://127.0.0.1:9", "none", retry_policy=RetryPolicy(budget=0)) as catalog:
        (check,) = check_catalogue(catalog, None)

    assert (check.name, check.state, check.found.split()[0]) == ("Purview", State.WRONG, "GET")
