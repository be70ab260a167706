"""Recorded events in, lineage out: compared with the true lineage of the writes, edge by edge.

``lineage_gaps.json`` lists where the events of an agent say less, or other, than the truth, and by exactly which
statements the lineage then differs. A difference that is not listed fails, and so
does a listed one that is gone.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from core.event_model import RunEvent
from core.events import read_event
from core.lineage_model import Application
from core.replacing import replace
from core.settings import Settings
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.corpus import events, scenarios
from tests.support.events import LAKE, body, dataset, event, run_event
from tests.support.figures import true_lineage
from tests.support.lineage import drawn, runs_of
from tests.support.tiers import recorded

GAPS = json.loads(Path(__file__).with_name("lineage_gaps.json").read_text())

Difference = dict[str, list[str]]


def differences(scenario: str) -> dict[str, Difference]:
    """By sink: the statements that are drawn but not true (``more``), and true but not drawn (``less``)."""
    found = {sink: _statements(item.inputs, item.edges) for sink, item in drawn(events(scenario)).items()}
    wanted = true_statements(scenario)
    pairs = {sink: (found.get(sink, set()), wanted.get(sink, set())) for sink in sorted({*found, *wanted})}
    return {sink: {"more": sorted(f - w), "less": sorted(w - f)} for sink, (f, w) in pairs.items() if f != w}


def true_statements(scenario: str) -> dict[str, set[str]]:
    """By sink: what its writes really did."""
    return {sink: _statements(item.inputs, item.edges) for sink, item in true_lineage(scenario).items()}


def without_facets(found: Iterable[RunEvent]) -> Iterator[RunEvent]:
    """The events as agents without the columnLineage facet would have sent them."""
    for each in found:
        yield replace(each, outputs=tuple(replace(output, column_lineage=None) for output in each.outputs))


def _statements(inputs: Iterable[str], edges: Iterable[tuple[str, str]]) -> set[str]:
    return {
        "is written",
        *(f"reads {name}" for name in inputs),
        *(f"{column} from {source}" for column, source in edges),
    }


@pytest.mark.parametrize("scenario", scenarios())
def test_lineage_equals_the_truth_but_for_the_known_gaps_of_the_agent(scenario: str) -> None:
    known = {sink: {"more": gap["more"], "less": gap["less"]} for sink, gap in GAPS.get(scenario, {}).items()}
    assert differences(scenario) == known


def test_the_corpus_is_whole_and_every_gap_has_its_reason() -> None:
    assert len(scenarios()) == 261
    assert GAPS.keys() <= set(scenarios())
    assert all(gap["why"] for sinks in GAPS.values() for gap in sinks.values())


@pytest.mark.parametrize("scenario", recorded("plans", "0.4.0"))
def test_the_plan_alone_claims_nothing_that_is_not_true(scenario: str) -> None:
    found = drawn(without_facets(events(scenario)))
    wanted = true_statements(scenario)
    claimed = {
        sink: _statements((), item.edges) - wanted.get(sink, set()) for sink, item in found.items() if sink in wanted
    }
    assert {sink: edges for sink, edges in claimed.items() if edges} == {}


def reason(*events_: object) -> str:
    return derive(merge(events_), LineageRules()).reason  # type: ignore[arg-type]


NO_WRITES = [
    ("app.drop_table", [], ["t"], "writes no data"),
    ("app.execute_create_data_source_table_command.t", [], ["t"], "writes no data"),
    ("app.execute_truncate_table_command.t", [], ["t"], "writes no data"),
    ("app.collect_limit", ["a"], [], "wrote nothing"),
    ("app.map_partitions_parallel_collection", ["a"], ["a"], "not known to write data"),
    ("app.unheard_of", [], ["t"], "not known to write data"),
]


@pytest.mark.parametrize(("job", "inputs", "outputs", "expected"), NO_WRITES)
def test_what_writes_no_data_has_a_reason_instead_of_lineage(
    job: str, inputs: list[str], outputs: list[str], expected: str
) -> None:
    event = run_event(job_name=job, inputs=map(dataset, inputs), outputs=map(dataset, outputs))
    assert expected in reason(event)


WRITES = [
    ("app.execute_insert_into_hadoop_fs_relation_command.t", [], "rows typed in: a process without inputs"),
    ("app.adaptive_spark_plan.t", ["a"], "a planned write"),
    ("app.unheard_of", ["a"], "an unknown operation that names input and output"),
]


@pytest.mark.parametrize(("job", "inputs", "why"), WRITES, ids=[row[2] for row in WRITES])
def test_what_writes_data_has_lineage(job: str, inputs: list[str], why: str) -> None:
    event = run_event(job_name=job, inputs=map(dataset, inputs), outputs=[dataset("t")])
    (lineage,) = derive(merge([event]), LineageRules()).lineages
    assert [found.id.name for found in lineage.inputs] == inputs


OPERATIONS = [
    ("execute_insert_into_hadoop_fs_relation_command.t", "insert"),
    ("execute_insert_into_hive_table.db_t", "insert"),
    ("execute_insert_into_hive_dir_command", "insert"),
    ("append_data.db_t", "insert"),
    ("overwrite_by_expression_exec_v1.t", "overwrite"),
    ("overwrite_partitions_dynamic.db_t", "overwrite"),
    ("execute_create_data_source_table_as_select_command.db_t", "create table as select"),
    ("execute_optimized_create_hive_table_as_select_command.db_t", "create table as select"),
    ("atomic_create_table_as_select.db_t", "create table as select"),
    ("atomic_replace_table_as_select.db_t", "replace table as select"),
    ("execute_save_into_data_source_command.t", "save"),
    ("write_to_data_source_v2.t", "stream"),
    ("execute_merge_into_command.t", "merge"),
    ("execute_merge_into_command_edge.t", "merge"),
    ("replace_data.db_t", "row-level write"),
    ("write_delta.db_t", "row-level write"),
    ("execute_update_command_edge.t", "update"),
    ("execute_delete_command_edge.t", "delete"),
    ("execute_load_data_command.db_t", "load data"),
    ("execute_copy_into_command_edge.t", "copy into"),
    ("execute_clone_table_command.t", "clone"),
]


@pytest.mark.parametrize(("job", "operation"), OPERATIONS)
def test_every_operation_that_writes_is_drawn_under_its_name(job: str, operation: str) -> None:
    event = run_event(job_name=f"app.{job}", inputs=[dataset("s")], outputs=[dataset("t")])
    (lineage,) = derive(merge([event]), LineageRules()).lineages
    assert (lineage.operation, lineage.sink.id.name) == (operation, "t")
    assert [found.id.name for found in lineage.inputs] == ["s"]


@pytest.mark.parametrize("job", ["execute_update_command_edge.t", "execute_delete_command_edge.t"])
def test_an_update_or_delete_that_reads_its_own_table_only_is_a_process_without_inputs(job: str) -> None:
    event = run_event(job_name=f"app.{job}", inputs=[dataset("t")], outputs=[dataset("t")])
    (lineage,) = derive(merge([event]), LineageRules()).lineages
    assert lineage.inputs == ()


def test_a_sink_is_an_input_only_where_values_go_into_other_columns() -> None:
    kept = dataset("t", ["a", "b"], {"a": [("t", "a")], "b": [("s", "b")]})
    moved = dataset("t", ["a", "b"], {"a": [("t", "b")], "b": [("s", "b")]})
    assert _inputs(kept) == ["s"]
    assert _inputs(moved) == ["s", "t"]


def test_datasets_that_only_the_facet_names_are_inputs() -> None:
    assert _inputs(dataset("t", ["a"], {"a": [("only/in/facet", "a")]})) == ["only/in/facet", "s"]


def test_machinery_of_tables_is_no_dataset() -> None:
    event = run_event(inputs=[dataset("s"), dataset("s/_delta_log")], outputs=[dataset("t/_temporary/0"), dataset("t")])
    (lineage,) = derive(merge([event]), LineageRules()).lineages
    assert (lineage.sink.id.name, [found.id.name for found in lineage.inputs]) == ("t", ["s"])


def test_excluded_datasets_are_left_out_and_do_not_cost_the_rest() -> None:
    rules = LineageRules(exclude_datasets=(re.compile("/scratch/"),))
    event = run_event(inputs=[dataset("s"), dataset("scratch/x")], outputs=[dataset("scratch/y"), dataset("t")])
    (lineage,) = derive(merge([event]), rules).lineages
    assert (lineage.sink.id.name, [found.id.name for found in lineage.inputs]) == ("t", ["s"])
    only_scratch = run_event(inputs=[dataset("s")], outputs=[dataset("scratch/y")])
    assert "EXCLUDE_DATASETS" in derive(merge([only_scratch]), rules).reason


def test_an_excluded_dataset_is_no_source_of_a_column_and_no_column_of_it_is_a_use() -> None:
    rules = LineageRules(exclude_datasets=(re.compile("/scratch/"),))
    sink = dataset("t", ["a"], {"a": [("s", "a"), ("scratch/x", "a"), ("s", "key"), ("scratch/x", "key")]})
    for source in sink["facets"]["columnLineage"]["fields"]["a"]["inputFields"][2:]:
        source["transformations"] = [{"type": "INDIRECT", "subtype": "CONDITIONAL"}]
    event = run_event(inputs=[dataset("s"), dataset("scratch/x")], outputs=[sink])
    (column,) = derive(merge([event]), rules).lineages[0].columns
    assert [source.dataset.name for source in column.sources] == ["s"]
    assert [(use.column.dataset.name, use.kind) for use in column.indirect] == [("s", "CONDITIONAL")]


def test_an_excluded_dataset_is_no_source_of_a_column_and_affects_no_rows() -> None:
    rules = LineageRules(exclude_datasets=(re.compile("/scratch$"),))
    sent = event(inputs=[dataset("s"), dataset("scratch")], outputs=[dataset("t", ["a", "b"], {"a": [], "b": []})])
    facet = sent["outputs"][0]["facets"]["columnLineage"]
    read = [used_by("scratch", "IDENTITY"), used_by("s", "IDENTITY"), used_by("scratch", "CONDITIONAL")]
    facet["fields"] = {"a": {"inputFields": read}, "b": {"inputFields": read[1:2]}}
    facet["dataset"] = [used_by("scratch", "FILTER"), used_by("s", "FILTER")]

    def all_uses(rules: LineageRules) -> tuple[list[list[str]], list[list[str]], list[str]]:
        (lineage,) = derive(merge([read_event(body(sent))]), rules).lineages
        return (
            [[source.dataset.name for source in column.sources] for column in lineage.columns],
            [[use.column.dataset.name for use in column.indirect] for column in lineage.columns],
            [use.column.dataset.name for use in lineage.indirect],
        )

    assert all_uses(LineageRules()) == ([["s", "scratch"], ["s"]], [["scratch"], []], ["s", "scratch"])
    assert all_uses(rules) == ([["s"], ["s"]], [[], []], ["s"])


def used_by(name: str, kind: str) -> dict[str, object]:
    """An entry of a columnLineage facet."""
    transformation = {"type": "DIRECT" if kind == "IDENTITY" else "INDIRECT", "subtype": kind}
    return {"namespace": LAKE, "name": name, "field": "x", "transformations": [transformation]}


@pytest.mark.parametrize(("most", "expected"), [(6, ""), (5, "it names 2 inputs and 2 outputs; more than 5 pairs")])
def test_a_run_of_too_many_pairs_is_not_drawn(monkeypatch: pytest.MonkeyPatch, most: int, expected: str) -> None:
    monkeypatch.setattr("parser.lineage.MOST_PAIRS", most)
    read = run_event(inputs=[dataset("a"), dataset("b")], outputs=[dataset("t"), dataset("u")])
    derived = derive(merge([read]), LineageRules())
    assert derived.reason.startswith(expected)
    assert len(derived.lineages) == (0 if expected else 2)


def test_of_an_unknown_operation_only_outputs_that_another_dataset_may_have_filled_are_drawn() -> None:
    read = run_event(job_name="app.unheard_of", inputs=[dataset("t")], outputs=[dataset("t"), dataset("u")])
    assert [lineage.sink.id.name for lineage in derive(merge([read]), LineageRules()).lineages] == ["u"]
    copied = run_event(job_name="app.execute_insert_into_hive_table", inputs=[dataset("t")], outputs=[dataset("t")])
    assert [lineage.sink.id.name for lineage in derive(merge([copied]), LineageRules()).lineages] == ["t"]


@pytest.mark.parametrize(
    ("root", "expected"),
    [("org.apache.spark.AppendData", "insert"), ("AppendData", "insert"), ("x.Unheard", ""), (None, ""), (5, "")],
)
def test_the_operation_is_that_of_the_plan_if_the_job_name_has_none(root: object, expected: str) -> None:
    read = run_event(job_name="app", inputs=[dataset("s")], outputs=[dataset("t")], plan=[{"class": root}])
    (lineage,) = derive(merge([read]), LineageRules()).lineages
    assert lineage.operation == expected


@pytest.mark.parametrize(("before", "expected"), [(["a", "b", "c"], ["a", "b", "c"]), ([], ["a", "b"])])
def test_a_lineage_has_its_application_and_its_sinks_are_folders(before: list[str], expected: list[str]) -> None:
    moved = dataset("t", ["a", "b"], {"a": [("t", "b")]})
    read = run_event(job_name="nb_pool1_1731500001.append_data.t", inputs=[dataset("t", before)], outputs=[moved])
    (lineage,) = derive(merge([read]), LineageRules()).lineages
    assert lineage.application == Application("contoso-syn", "nb")
    assert (lineage.sink.is_folder, [found.is_folder for found in lineage.inputs]) == (True, [True])
    assert [[field.name for field in found.fields] for found in lineage.inputs] == [expected]


def test_the_rules_are_those_of_the_settings() -> None:
    settings = Settings.offline({})
    assert LineageRules.of(settings) == LineageRules(show_literals=False)
    chosen = replace(
        settings,
        allow_operations=("scan_special",),
        exclude_datasets=(re.compile("x"),),
        application_name_tails=(re.compile("y"),),
        expression_literals="keep",
        user_names="hash",
    )
    assert LineageRules.of(chosen) == LineageRules(
        ("scan_special",), (re.compile("x"),), (re.compile("y"),), show_literals=True, hash_users=True
    )


def test_an_unknown_operation_may_have_read_what_only_the_facet_names() -> None:
    read = run_event(job_name="app.unheard_of", outputs=[dataset("t", ["a"], {"a": [("s", "a")]})])
    (lineage,) = derive(merge([read]), LineageRules()).lineages
    assert [found.id.name for found in lineage.inputs] == ["s"]


def test_an_event_of_an_application_describes_no_write() -> None:
    sent = event(inputs=[dataset("s")], outputs=[dataset("t")])
    sent["job"]["facets"] = {"jobType": {"jobType": "APPLICATION"}}
    assert reason(read_event(body(sent))) == "an application event describes no write"


@pytest.mark.parametrize(("outputs", "notes"), [(10, []), (11, ["plan-of-many-outputs"])])
def test_a_run_of_many_outputs_says_that_its_plan_is_skipped(outputs: int, notes: list[str]) -> None:
    sent = event(inputs=[dataset("s")], outputs=[dataset(f"t{number}", ["a"]) for number in range(outputs)])
    sent["run"]["facets"]["spark.logicalPlan"] = {"plan": [{"class": "x.LocalRelation", "num-children": 0}]}
    lineages = derive(merge([read_event(body(sent))]), LineageRules()).lineages
    assert [[note.code for note in lineage.notes if "plan" in note.code] for lineage in lineages] == [notes] * outputs


def _inputs(sink: dict[str, object]) -> list[str]:
    event = run_event(inputs=[dataset("s"), dataset("t", ["a", "b"])], outputs=[sink])
    (lineage,) = derive(merge([event]), LineageRules()).lineages
    return [found.id.name for found in lineage.inputs]


def test_text_literals_are_shown_only_where_the_rules_say_so() -> None:
    texts = {shown: _expressions(LineageRules(show_literals=shown)) for shown in (True, False)}

    assert "coalesce(orders.note, orders.status, 'x')" in texts[True]
    assert "coalesce(orders.note, orders.status, '…')" in texts[False]
    assert [text for text in texts[False] if "'a'" in text] == []


def _expressions(rules: LineageRules) -> list[str]:
    runs = runs_of(events("openlineage-1.53.0_spark-3.5_queries/case_nested"))
    lineages = (lineage for run in runs for lineage in derive(merge(run), rules).lineages)
    columns = (column for lineage in lineages for column in lineage.columns)
    return [column.expression for column in columns if column.expression]
