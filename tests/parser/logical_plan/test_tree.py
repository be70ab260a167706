"""Trees from Catalyst's flat lists: pre-order, and nothing from a list that is not whole."""

from typing import Any

import pytest

from parser.logical_plan.tree import Node, expression_id, object_name, tree


def raw(kind: str, count: object = 0, **params: object) -> dict[str, Any]:
    return {"class": f"org.apache.spark.{kind}", "num-children": count, **params}


def shape(node: Node | None) -> object:
    """``Join(One, Two)``"""
    if node is None:
        return None
    return f"{node.kind}({', '.join(str(shape(child)) for child in node.children)})" if node.children else node.kind


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([raw("A")], "A"),
        ((raw("A"),), "A"),
        ([raw("A", 1), raw("B")], "A(B)"),
        ([raw("A", 2), raw("B", 1), raw("C"), raw("D")], "A(B(C), D)"),
        ([raw("A", 3), raw("B"), raw("C"), raw("D")], "A(B, C, D)"),
        ([raw("Outer$Inner")], "Inner"),
        ([{"num-children": 0}], ""),
        ([{"class": "A"}], "A"),
    ],
)
def test_a_list_in_pre_order_is_a_tree(nodes: object, expected: str) -> None:
    assert shape(tree(nodes)) == expected


@pytest.mark.parametrize(
    "nodes",
    [
        None, 7, "A", {"class": "A"}, [], (), ["A"], [None], [[raw("A")]],
        [raw("A", 1)], [raw("A", 2), raw("B")], [raw("A"), raw("B")], [raw("A", 1), raw("B"), raw("C")],
        [raw("A", -1), raw("B")], [raw("A", True), raw("B")], [raw("A", "1"), raw("B")], [raw("A", None)],
    ],
)  # fmt: skip
def test_what_is_not_a_whole_tree_is_none(nodes: object) -> None:
    assert tree(nodes) is None


def test_what_is_a_tree_already_stays_one() -> None:
    node = Node("A", {})
    assert tree(node) is node


FAMILY = tree([raw("A", 2, first=0, second=1, beyond=2, before=-1, flag=True, own=[raw("D")], text="x",
                   mixed=[1, [raw("E")], 7, None, []]), raw("B"), raw("C")])  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "child", "found", "several"),
    [
        ("first", "B", "B", []),
        ("second", "C", "C", []),
        ("beyond", None, None, []),
        ("before", None, None, []),
        ("flag", None, None, []),
        ("own", None, "D", []),
        ("text", None, None, []),
        ("mixed", None, None, ["C", "E"]),
        ("missing", None, None, []),
    ],
)
def test_a_parameter_is_a_position_among_the_children_or_a_tree_of_its_own(
    parameter: str, child: str | None, found: str | None, several: list[str]
) -> None:
    assert FAMILY
    assert (shape(FAMILY.child(parameter)), shape(FAMILY.tree(parameter))) == (child, found)
    assert [shape(each) for each in FAMILY.trees(parameter)] == several


def test_a_walk_is_in_pre_order() -> None:
    found = tree([raw("A", 2), raw("B", 1), raw("C"), raw("D")])
    assert found
    assert [node.kind for node in found.walk()] == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"object": "a.b.LeftOuter$"}, "LeftOuter"),
        ({"object": "Inner"}, "Inner"),
        ({"object": 5}, ""),
        ({}, ""),
        ("x", ""),
    ],
)
def test_the_name_of_a_scala_object(value: object, expected: str) -> None:
    assert object_name(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [({"id": 7}, 7), ({"id": 0}, 0), ({"id": "7"}, None), ({}, None), (7, None)]
)
def test_the_id_of_an_expression(value: object, expected: int | None) -> None:
    assert expression_id(Node("A", {"exprId": value})) == expected
    assert expression_id(Node("A", {"resultId": value}), "resultId") == expected
