"""What applies to every dataset, whatever its name."""

import string

from hypothesis import given
from hypothesis import strategies as st

from core.catalog_model import NameContext
from core.event_model import Dataset, DatasetId, Symlink
from core.replacing import replace
from qualified_names.namespace import parse
from qualified_names.resolve import resolve
from qualified_names.resource_sets import generalised, same_resource_set
from qualified_names.rules import load
from qualified_names.table_name import table_name

RULES = load()

schemes = st.sampled_from(
    ["abfss", "abfs", "wasbs", "adl", "s3", "https", "dbfs", "file", "sqlserver", "postgres", "mysql", "oracle"]
) | st.sampled_from(["hive", "kafka", "unitycatalog", "azurekusto", "bigquery", "snowflake", "x"])
hosts = st.sampled_from(
    [
        "lake.dfs.core.windows.net",
        "onelake.dfs.fabric.microsoft.com",
        "srv.database.windows.net",
        "mi.zone.database.windows.net",
        "h",
        "",
    ]
)
file_schemes = st.sampled_from(["abfss", "abfs", "wasb", "adl", "s3a", "gs", "hdfs", "dbfs", "file"])
partitions = st.sampled_from(["day=2024-01-31", "hour=7", "a b=%20", "x="])
words = st.text(string.ascii_letters + string.digits + " .%{}[]=_-äß'\"`", max_size=12)
paths = st.lists(words, max_size=5).map("/".join).map(str.strip)
addresses = st.builds(
    "{}://{}@{}{}{}".format,
    schemes,
    words,
    hosts,
    st.sampled_from(["", ":1433", ";database=d"]),
    st.sampled_from(["", "/", "/raw", "//In/a.CSV/", "/x.csv/d=1", "/a&b?sig=c"]),
)
namespaces = st.one_of(addresses, st.text(max_size=30))
names = st.one_of(paths, st.text(max_size=30))
texts = st.dictionaries(words, words, max_size=3)
contexts = st.builds(
    NameContext,
    mount_points=texts,
    hive_cluster=words,
    onelake_ids=texts,
    metastore_ids=texts,
    sql_kinds=texts,
)
symlinks = st.lists(st.builds(Symlink, namespaces, names, st.sampled_from(["TABLE", "LOCATION", ""])), max_size=2)


@given(namespaces, names, contexts, symlinks)
def test_every_dataset_gets_a_name(namespace: str, name: str, context: NameContext, links: list[Symlink]) -> None:
    dataset = Dataset(DatasetId(namespace, name), symlinks=tuple(links))

    found = resolve(dataset, context, RULES)

    assert found.asset in found.candidates
    assert found.short_name
    assert all(name.type_name and name.qualified_name for name in found.candidates)
    assert resolve(dataset, context, load()) == found
    # Again, because the first answer may contain partition folders that one spelling removes.
    again = resolve(found.dataset, context, RULES)
    assert again.dataset == found.dataset
    assert resolve(again.dataset, context, RULES) == again


@given(schemes, hosts, paths)
def test_slashes_and_case_of_the_address_make_no_difference(scheme: str, host: str, path: str) -> None:
    def names_of(namespace: str, name: str) -> object:
        found = resolve(Dataset(DatasetId(namespace, name)), NameContext(), RULES)
        return found.candidates, found.rule

    plain = names_of(f"{scheme}://c@{host}", path)

    assert names_of(f"{scheme.upper()}://c@{host.upper()}/", f"/{path}") == plain
    assert names_of(f" {scheme}://c@{host} ", path.replace("/", "//")) == plain


@given(schemes, hosts, paths)
def test_a_slash_at_the_end_makes_no_difference_to_folders(scheme: str, host: str, path: str) -> None:
    known = Dataset(DatasetId(f"{scheme}://c@{host}", path), is_folder=True)
    with_slash = replace(known, id=DatasetId(known.id.namespace, f"{path}/"))

    assert resolve(with_slash, NameContext(), RULES) == resolve(known, NameContext(), RULES)


@given(file_schemes, hosts, words, paths, st.lists(partitions, max_size=2))
def test_partition_folders_make_no_difference_to_folders(
    scheme: str, host: str, top: str, path: str, tail: list[str]
) -> None:
    known = Dataset(DatasetId(f"{scheme}://c@{host}", f"x{top}/{path}"), is_folder=True)
    partition = replace(known, id=DatasetId(known.id.namespace, "/".join([known.id.name, *tail])))

    assert resolve(partition, NameContext(), RULES) == resolve(known, NameContext(), RULES)


@given(paths, st.booleans())
def test_a_path_is_of_the_set_it_is_generalised_to(path: str, is_file: bool) -> None:
    path = "/".join(part for part in path.replace("{", "").replace("}", "").split("/") if part)
    base = "https://lake.dfs.core.windows.net/raw"

    assert same_resource_set(f"{base}/{path}", f"{base}/{generalised(path, is_file=is_file)[0]}")


@given(st.text())
def test_readers_never_raise(text: str) -> None:
    parse(text)
    assert table_name(text)
