"""Route templates, one row a rule."""

import pytest

from local.host.errors import HostError
from local.host.routes import in_order, parse_route


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("v1/lineage", "v1/lineage", {}),
        ("v1/lineage", "V1/LINEAGE", {}),
        ("v1/lineage", "v1/lineage/more", None),
        ("{a}/{b}", "x/y", {"a": "x", "b": "y"}),
        ("{a}", "x%20y%2Fz", {"a": "x y%2Fz"}),
        ("{a:int}", "-12", {"a": "-12"}),
        ("{a:int}", "99999999999", None),
        ("{a:long}", "99999999999", {"a": "99999999999"}),
        ("{a:int}", "x", None),
        ("{a:alpha}", "Abc", {"a": "Abc"}),
        ("{a:alpha}", "a1", None),
        ("{a:guid}", "0190c5e2-7b44-7c3e-b1a3-0123456789ab", {"a": "0190c5e2-7b44-7c3e-b1a3-0123456789ab"}),
        ("{a:guid}", "0190c5e2", None),
        (r"{v:regex(^(1|v1)$)}/lineage", "v1/lineage", {"v": "v1"}),
        (r"{v:regex(^(1|v1)$)}/lineage", "1/lineage", {"v": "1"}),
        (r"{v:regex(^(1|v1)$)}/lineage", "v2/lineage", None),
        (r"{v:regex(^\d{{2}}$)}", "12", {"v": "12"}),
        (r"{v:regex(^\d{{2}}$)}", "123", None),
        ("{a:length(2,3)}", "abcd", None),
        ("{a:range(1,9)}", "5", {"a": "5"}),
        ("{a:int:min(3)}", "2", None),
        ("x/{a?}", "x", {}),
        ("x/{a:int?}", "x/7", {"a": "7"}),
        ("x/{*rest}", "x/a/b/c", {"rest": "a/b/c"}),
        ("x/{*rest}", "x", {}),
        ("{name}.{kind}", "report.json", {"name": "report", "kind": "json"}),
    ],
)
def test_a_path_fits_a_template_or_does_not(template: str, path: str, parameters: dict[str, str] | None) -> None:
    assert parse_route(template).match(path) == parameters


@pytest.mark.parametrize("template", ["{a", "a}", "{a:odd}", "{1a}"])
def test_a_template_that_can_not_be_read_is_refused(template: str) -> None:
    with pytest.raises(HostError, match="Route"):
        parse_route(template)


def test_the_more_literal_route_is_tried_first() -> None:
    templates = ["{*rest}", "{a}/x", "{a:int}/x", "v1/x"]
    assert [route.template for route, _ in in_order((parse_route(t), None) for t in templates)] == templates[::-1]
