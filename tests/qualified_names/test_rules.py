"""The rules file: what users may change, and how each fault is reported."""

from pathlib import Path

import pytest

from core.catalog_model import AssetName, NameContext
from core.errors import SettingsError
from core.event_model import Dataset
from core.identity import dataset_id
from core.settings import Settings
from qualified_names.resolve import resolve
from qualified_names.rules import load, of_settings

GOOD = """
[[rule]]
name = "my-store"
scheme = "mystore"
table_name = ["{schema}.{table}"]
type = "my_table"
qualified_name = "my://{host}/{schema|upper}/{table}"
"""


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def named(file: Path, namespace: str, name: str) -> tuple[str, AssetName]:
    found = resolve(Dataset(dataset_id(namespace, name)), NameContext(), load(str(file)))
    return found.rule, found.asset


def problems(file: Path, text: str) -> list[str]:
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load(str(file))
    return list(caught.value.problems)


@pytest.mark.parametrize("extra", [None, ""])
def test_shipped_rules_alone(extra: str | None) -> None:
    assert load(extra).rules


def test_own_rule_is_added(rules_file: Path) -> None:
    rules_file.write_text(GOOD, "utf-8")

    assert named(rules_file, "mystore://h", "s.t") == ("my-store", AssetName("my_table", "my://h/S/t"))
    assert named(rules_file, "bigquery", "a.b.c")[0] == "bigquery"


def test_the_users_rule_takes_precedence_over_the_shipped_one(rules_file: Path) -> None:
    rules_file.write_text(GOOD.replace('"mystore"', '"sqlserver"'), "utf-8")

    assert named(rules_file, "sqlserver://h", "s.t")[0] == "my-store"


def test_own_rule_replaces_a_shipped_one_of_its_name(rules_file: Path) -> None:
    rules_file.write_text(GOOD.replace('"my-store"', '"bigquery"'), "utf-8")

    assert named(rules_file, "bigquery", "a.b.c") == ("generic", AssetName("DataSet", "bigquery/a.b.c"))


def test_shipped_rule_is_removed(rules_file: Path) -> None:
    rules_file.write_text('remove = ["bigquery"]', "utf-8")

    assert named(rules_file, "bigquery", "a.b.c") == ("generic", AssetName("DataSet", "bigquery/a.b.c"))


def test_the_case_of_a_layout_matters_unless_the_rule_says_otherwise(rules_file: Path) -> None:
    rule = GOOD.replace("{schema}.{table}", "Tables.{schema}.{table}")
    rules_file.write_text(rule, "utf-8")
    assert named(rules_file, "mystore://h", "tables.s.T")[0] == "generic"

    rules_file.write_text(rule + "any_case = true", "utf-8")
    assert named(rules_file, "mystore://h", "tables.s.T") == ("my-store", AssetName("my_table", "my://h/S/T"))


@pytest.mark.parametrize(
    ("let", "namespace", "name", "found"),
    [
        ('port = ["{port}", "8123"]', "mystore://h", "s.t", "my://8123/s/t"),
        ('port = ["{port}", "8123"]', "mystore://h:9000", "s.t", "my://9000/s/t"),
        ('schema = ["{schema}", "main"]', "mystore://h:1", "t", "my://1/main/t"),
        ('other = "{schema}"\nschema = ["{other}", "main"]', "mystore://h:1", "t", "my://1/main/t"),
    ],
)
def test_a_value_may_give_the_default_of_its_own_name(
    rules_file: Path, let: str, namespace: str, name: str, found: str
) -> None:
    rule = GOOD.replace("{schema}.{table}", '{schema}.{table}", "{table}').replace(
        "{host}/{schema|upper}", "{port}/{schema}"
    )
    rules_file.write_text(f"{rule}[rule.let]\n{let}\n", "utf-8")
    assert named(rules_file, namespace, name)[1].qualified_name == found


def test_own_files_rule(rules_file: Path) -> None:
    rules_file.write_text(
        """
        [[rule]]
        name = "minio"
        scheme = "s3"
        host = "minio-*"
        [[rule.files]]
        base = "https://minio.contoso.com/{host}"
        folder = "my_folder"
        """,
        "utf-8",
    )

    assert named(rules_file, "s3://minio-raw", "a/b") == (
        "minio",
        AssetName("my_folder", "https://minio.contoso.com/minio-raw/a/b/"),
    )
    assert named(rules_file, "s3://minio-raw", "")[1].qualified_name == "https://minio.contoso.com/minio-raw/"
    assert named(rules_file, "s3://other", "a/b")[0] == "s3"


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        (('scheme = "mystore"', ""), "scheme", "is missing"),
        (('scheme = "mystore"', "scheme = 3"), "scheme", "must be a text or a list of texts"),
        (('scheme = "mystore"', 'schema = "mystore"'), "schema", "is unknown; did you mean 'scheme'?"),
        (('scheme = "mystore"', 'scheme = "x"\nxyz = "a"'), "xyz", "is unknown; known are about, also, any_case, "),
        (('scheme = "mystore"', 'scheme = "x"\nhost = "{a"'), "host", "brace"),
        (('type = "my_table"', ""), "type", "is missing"),
        (('type = "my_table"', "type = []"), "type", "must be a text"),
        (('type = "my_table"', 'type = ""'), "type", "must be a text"),
        (("{schema|upper}", "{schema|shout}"), "qualified_name", "unknown function 'shout'; known are "),
        (("{schema|upper}", "{schma}"), "qualified_name", "unknown value {schma}; did you mean {schema}?"),
        (("{schema|upper}", "{schema"), "qualified_name", "brace"),
        (("{schema}.{table}", "{schema}.{schema}"), "table_name", "captures {schema} twice"),
        (('type = "my_table"', 'type = "t"\nlet = { a = "{b}" }'), "let", "unknown value {b}"),
        (('type = "my_table"', 'type = "t"\nlet = "x"'), "let", "must be a table"),
        (('type = "my_table"', 'type = "t"\nneeds = [{ value = "b", code = "c", text = "t" }]'), "needs", "'b'"),
        (('type = "my_table"', 'type = "t"\nneeds = [{ value = "host", code = "c" }]'), "needs", "is missing"),
        (('type = "my_table"', 'type = "t"\nneeds = { value = "host" }'), "needs", "must be a list of tables"),
        (
            ('type = "my_table"', 'type = "t"\nalso = [{ typ = "x" }]'),
            "also",
            "unknown key 'typ'; did you mean 'type'?",
        ),
        (('type = "my_table"', 'type = "t"\nalso = [{ qualified_name = "x" }]'), "also", "is missing"),
        (('type = "my_table"', 'type = "t"\nnote = "x"'), "note", "must be a table"),
        (('type = "my_table"', 'type = "t"\nfor_symlinks = 1'), "for_symlinks", "true or false"),
        (('type = "my_table"', 'type = "t"\nshort_name = "{x}"'), "short_name", "unknown value {x}"),
        (('type = "my_table"', 'type = "t"\nfiles = [{ base = "b", folder = "f" }]'), "type", "beside files"),
        (('type = "my_table"', 'type = "t"\nfiles = []'), "files", "at least one"),
        (('type = "my_table"', 'type = "t"\nfiles = [{ base = "b" }]'), "files", "type of a folder"),
        (('type = "my_table"', 'type = "t"\nfiles = [{ folder = "f" }]'), "files", "is missing"),
    ],
)
def test_fault_names_rule_and_field(rules_file: Path, change: tuple[str, str], field: str, said: str) -> None:
    found = problems(rules_file, GOOD.replace(*change))

    assert any(f"rule 'my-store', field {field!r}" in problem and said in problem for problem in found), found
    assert all(str(rules_file) in problem for problem in found)


def test_all_faults_are_reported_at_once(rules_file: Path) -> None:
    text = GOOD.replace("my_table", "{x}").replace("{host}", "{y}") + 'colour = "blue"\n'

    assert len(problems(rules_file, text)) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]", "is not valid TOML"),
        ("rule = 3", "[[rule]]"),
        ("rule = [3]", "[[rule]]"),
        ("rules = []", "unknown field 'rules'; did you mean 'rule'?"),
        ("remove = 3", "list of rule names"),
        ('remove = ["nope"]', "not a shipped rule"),
        ('[[rule]]\nscheme = "x"', "rule number 1, field 'name': is missing"),
        (GOOD + GOOD, "two rules have the name 'my-store'"),
    ],
)
def test_fault_of_the_file(rules_file: Path, text: str, said: str) -> None:
    assert any(said in problem for problem in problems(rules_file, text))


def test_rules_without_a_name_are_not_two_of_one_name(rules_file: Path) -> None:
    found = problems(rules_file, '[[rule]]\nname = ""\n' * 2)

    assert [problem for problem in found if "two rules" in problem] == []
    assert len([problem for problem in found if "field 'name'" in problem]) == 2


def test_missing_file_is_named(rules_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"NAME_RULES_FILE .* cannot be read"):
        load(str(rules_file))


def test_file_that_is_no_text(rules_file: Path) -> None:
    rules_file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="is not valid TOML"):
        load(str(rules_file))


def test_rules_may_be_a_setting_instead_of_a_file(tmp_path: Path) -> None:
    text = '[[rule]]\nname = "own"\nscheme = "own"\ntype = "DataSet"\nqualified_name = "own://{host}/{name}"\n'
    file = tmp_path / "own.toml"
    file.write_text(text)

    as_text = of_settings(Settings.offline({"NAME_RULES": text}))
    as_file = of_settings(Settings.offline({"NAME_RULES_FILE": str(file)}))

    assert as_text == as_file
    assert as_text.rules[0].name == "own"
    with pytest.raises(SettingsError, match=r"^NAME_RULES: rule 'own', field"):
        of_settings(Settings.offline({"NAME_RULES": text.replace("{host}", "{hots}")}))
    with pytest.raises(SettingsError, match="both set"):
        Settings.offline({"NAME_RULES": text, "NAME_RULES_FILE": str(file)})


def test_rules_of_a_namespace_are_the_same_when_they_are_asked_again(rules_file: Path) -> None:
    rules_file.write_text(GOOD, "utf-8")
    rules = load(str(rules_file))

    for namespace in ["mystore://h", "mystore://h", "mystore://" + "h" * 300, "elsewhere://h"]:
        found = [rule.name for rule, _ in rules.of_namespace(namespace)]
        assert found == (["my-store"] if namespace.startswith("mystore") else [])
