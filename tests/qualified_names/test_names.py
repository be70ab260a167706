"""The readers below the rules: namespaces, table names, patterns, templates."""

import pytest

from core.model import NameContext
from qualified_names.namespace import Namespace, parse, without_secrets
from qualified_names.patterns import PatternError, compile_pattern
from qualified_names.table_name import table_name
from qualified_names.templates import TemplateError, compile_template


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abfss://c@h.example:8/x/", Namespace("", "abfss", "c", "h.example", "8", "x")),
        ("HDFS://Host", Namespace("", "hdfs", host="host")),
        ("dbfs", Namespace("", "dbfs")),
        ("arn:aws:glue:r:1", Namespace("", "arn")),
        ("mysql://h/db?a=1&b=%2F", Namespace("", "mysql", host="h", directory="db", properties={"a": "1", "b": "/"})),
        ("sqlserver://h\\i:1433", Namespace("", "sqlserver", host="h", port="1433", directory="i")),
        ("x://u:p@h", Namespace("", "x", "u:p", "h")),
        ("kafka://a:1,b:2", Namespace("", "kafka", host="a", port="1")),
        ("x://[::1]:5/d", Namespace("", "x", host="[::1]", port="5", directory="d")),
        ("x://h:port", Namespace("", "x", host="h")),
        ("://", Namespace("", "")),
        ("", Namespace("", "")),
    ],
)
def test_namespace(text: str, expected: Namespace) -> None:
    found = parse(text)

    assert found == Namespace(text.strip(), **{f: getattr(expected, f) for f in Namespace.__slots__ if f != "text"})


def test_secrets_are_left_out_and_all_else_stays() -> None:
    assert without_secrets("x://u:p@h:1;user=a;db=b;Password=c;loginTimeout=30") == "x://h:1;db=b;loginTimeout=30"
    assert without_secrets("abfss://c@h/x?sig=abc") == "abfss://c@h/x"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("db.s.t", ("db", "s", "t")),
        ("[a.b].[c]", ("a.b", "c")),
        ("[a]]b].c", ("a]b", "c")),
        ('"a.b"."c""d"', ("a.b", 'c"d')),
        ("`a.b`.c", ("a.b", "c")),
        (" [a] . b ", ("a", "b")),
        ("a..b", ("a", "", "b")),
        ("[a.b", ("[a", "b")),
        ("[a]b.c", ("[a]b", "c")),
        ("a[b.c]", ("a[b", "c]")),
        ("", ("",)),
        (".", ("", "")),
    ],
)
def test_table_name(name: str, parts: tuple[str, ...]) -> None:
    assert table_name(name) == parts


def test_captures_keep_to_their_pieces() -> None:
    assert compile_pattern("{a}.x.{b...}", ".").match("k.x.l.m") == {"a": "k", "b": "l.m"}
    assert compile_pattern("{a}.x", ".").match("k.l.x") is None
    assert compile_pattern("*-y.**", ".").match("a-y.b.c") == {}
    assert compile_pattern("A{b}", "", ignore_case=True).match("aC") == {"b": "C"}


@pytest.mark.parametrize("text", ["{a", "{A}", "{a}{a}", "{}", "a}"])
def test_pattern_that_cannot_be_read(text: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(text, ".")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("x/{a}", "x/A b"),
        ("{a|lower|encode}", "a%20b"),
        ("{a|guid}", None),
        ("{none}", None),
        ("{{{a|first_label}}}", "{A b}"),
        ("{path|encode_slashes_twice}", "p%252Fq.CSV"),
        ("{path|extension}", "p/q.csv"),
        ("{a|encode_blanks}", "A%20b"),
        ("{braces|braces}", "%7Bx%7D"),
        ("{key|onelake_id}", "g1"),
        ("{kind|as_view}", "azure_sql_view"),
        ("{a|as_view}", None),
        ("{path|encode_path}", "p/q.CSV"),
        ("{encoded|decode}", "a b"),
    ],
)
def test_template(template: str, expected: str | None) -> None:
    values = {"a": "A b", "path": "p/q.CSV", "braces": "{x}", "key": "my space/L", "encoded": "a%20b"}
    values["kind"] = "azure_sql_table"
    context = NameContext(onelake_ids={"My%20Space/l": "g1"})

    assert compile_template(template).fill(values.get, context) == expected


@pytest.mark.parametrize("text", ["{a|shout}", "{a", "a}", "{A}"])
def test_template_that_cannot_be_read(text: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(text)
