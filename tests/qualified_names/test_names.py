"""The readers below the rules: namespaces, table names, patterns, templates."""

import pytest

from core.catalog_model import NameContext
from core.secrets import without_secrets
from qualified_names.namespace import Namespace, parse
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
        ("oracle:thin:@h:sid", Namespace("", "oracle", host="h", directory="")),
        ("oracle:thin:scott/tiger@//H:1521/orcl", Namespace("", "oracle", host="h", port="1521", directory="orcl")),
        ("oracle:thin:@tcps://h", Namespace("", "oracle", host="h")),
        ("oracle:thin:@ldap:h:5000/db", Namespace("", "oracle", host="h", port="5000", directory="db")),
        (
            "oracle:oci@(DESCRIPTION=(ADDRESS=(HOST=Db1)(PORT=1522))(ADDRESS=(HOST=x))(CONNECT_DATA=(SERVICE_NAME=s)))",
            Namespace("", "oracle", host="db1", port="1522", directory="s"),
        ),
        ("jdbc:jtds:sqlserver://h:1433", Namespace("", "sqlserver", host="h", port="1433")),
        (
            "jtds:sqlserver://h/Db;instance=I",
            Namespace("", "sqlserver", host="h", directory="I", properties={"database": "Db", "instance": "I"}),
        ),
        (
            "db2://h:50000/Db:currentSchema=S;user=u",
            Namespace(
                "", "db2", host="h", port="50000", directory="Db", properties={"currentschema": "S", "user": "u"}
            ),
        ),
        ("x://h;a=1;b;=2; =3;A=4", Namespace("", "x", host="h", properties={"a": "1"})),
        ("db2://h:5:Database=D;", Namespace("", "db2", host="h", port="5", properties={"database": "D"})),
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x://u:p@h:1;user=a;db=b;Password=c;loginTimeout=30", "x://h:1;db=b;loginTimeout=30"),
        ("x://u:p%40@h1:1,u:p@h2:2/db", "x://h1:1,h2:2/db"),
        ("x://h:user=a;password=b;db=c", "x://h;db=c"),
        ("x://u@h/db?a=1&sig=2", "x://u@h/db?a=1"),
        ("abfss://c@h/x?sig=abc", "abfss://c@h/x"),
        ("sqlserver://h:1;user=a@b;password={p;w,x};encrypt=true", "sqlserver://h:1;encrypt=true"),
        ("oracle:thin:scott/tiger@//h:1521/orcl", "oracle:thin://h:1521/orcl"),
        ("teradata://h/USER=a,PASSWORD=b,DATABASE=c", "teradata://h,DATABASE=c"),
        ("file:/lake/day=1,x", "file:/lake/day=1,x"),
    ],
)
def test_secrets_are_left_out_and_everything_else_stays(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


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
