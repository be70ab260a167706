"""Graphs for the tests of the explorer, in the form of docs/contracts/lineage.schema.json."""

import json
from collections.abc import Iterable
from typing import Any

Graph = dict[str, Any]

ROOT = "https://lake.dfs.core.windows.net"


def dataset(name: str, *columns: str, kind: str = "azure_datalake_gen2_resource_set", **more: Any) -> Graph:
    """A dataset; a column is written as ``name`` or ``name type``."""
    return {
        "id": name,
        "type": kind,
        "qualifiedName": f"{ROOT}/{name.replace('.', '/')}",
        "name": name,
        "columns": [_column(*each.split(" ", 1)) for each in columns],
        **more,
    }


def _column(name: str, kind: str = "") -> Graph:
    return {"name": name, **({"type": kind} if kind else {})}


def reference(text: str) -> Graph:
    """``dataset.column`` as the contract has it."""
    owner, _, column = text.rpartition(".")
    return {"dataset": owner, "column": column}


def derivation(target: str, sources: Iterable[str], expression: str = "", influences: Iterable[str] = ()) -> Graph:
    """How the column ``target`` is computed; an influence is written as ``KIND dataset.column``."""
    made = {**reference(target), "sources": [reference(each) for each in sources], "influences": uses(influences)}
    return {**made, **({"expression": expression} if expression else {})}


def uses(texts: Iterable[str]) -> list[Graph]:
    """Uses written as ``KIND dataset.column``."""
    return [{**reference(text.split(" ")[1]), "kind": text.split(" ")[0]} for text in texts]


def process(name: str, columns: list[Graph], rows: Iterable[str] = (), conditions: Iterable[str] = ()) -> Graph:
    """A process with the inputs and outputs that its columns name."""
    decides = uses(rows)
    read = [each["dataset"] for column in columns for each in (*column["sources"], *column["influences"])]
    return {
        "id": f"process {name}",
        "qualifiedName": f"sparklin://demo/{name}",
        "name": name,
        "application": name.partition(" ")[0],
        "operation": "INSERT",
        "inputs": sorted({*read, *(each["dataset"] for each in decides)}),
        "outputs": sorted({column["dataset"] for column in columns}),
        "columns": columns,
        "rows": decides,
        "conditions": list(conditions),
        "runs": [{"run": "3f5e83fa", "state": "COMPLETE", "ended": "2026-05-01T12:00:00Z", "rowsWritten": 1204}],
    }


def graph(datasets: list[Graph], processes: list[Graph], **focus: Any) -> Graph:
    """A whole document; ``focus`` contains the fields of the focus."""
    made = {"source": "events", "datasets": datasets, "processes": processes, "notes": []}
    return {**made, "focus": {"direction": "both", **focus}} if focus else made


def medallion() -> Graph:
    """Bronze, silver and gold in five hops: gold.revenue.margin comes from four sources."""
    money = "decimal(18,2)"
    copied = ("order_id", "customer", "amount", "discount", "ts")
    datasets = [
        dataset(
            "landing.orders", "order_id string", "customer string", "amount string", "discount string", "ts string"
        ),
        dataset("landing.costs", "order_id string", "cost string", "currency string"),
        dataset("sales.customers", "id bigint", "name nvarchar", "country nvarchar", kind="azure_sql_table"),
        dataset("bronze.orders", *(f"{each} string" for each in copied)),
        dataset("bronze.costs", "order_id string", "cost string", "currency string"),
        dataset("silver.orders", "order_id bigint", "customer_id bigint", "net decimal(18,2)", "day date"),
        dataset("silver.costs", "order_id bigint", "cost decimal(18,2)"),
        dataset(
            "gold.order_facts",
            "order_id bigint",
            "country string",
            "net decimal(18,2)",
            "cost decimal(18,2)",
            "day date",
        ),
        dataset("gold.revenue", "country string", "day date", f"revenue {money}", f"margin {money}", "rank int"),
        dataset("serving.report", "country string", f"margin {money}", "share double"),
    ]
    return graph(datasets, [*_ingestion(copied), *_cleaning(), *_gold()], dataset="gold.revenue", column="margin")


def _ingestion(copied: Iterable[str]) -> list[Graph]:
    return [
        process("ingest_orders", [derivation(f"bronze.orders.{each}", [f"landing.orders.{each}"]) for each in copied]),
        process(
            "ingest_costs",
            [
                derivation(f"bronze.costs.{each}", [f"landing.costs.{each}"])
                for each in ("order_id", "cost", "currency")
            ],
        ),
    ]


def _cleaning() -> list[Graph]:
    price = "CAST(amount AS DECIMAL(18,2)) * (1 - coalesce(CAST(discount AS DECIMAL(5,4)), 0))"
    cost = "CASE WHEN currency = 'EUR' THEN CAST(cost AS DECIMAL(18,2)) ELSE CAST(cost AS DECIMAL(18,2)) / 1.08 END"
    return [
        process(
            "clean_orders",
            [
                derivation("silver.orders.order_id", ["bronze.orders.order_id"], "CAST(order_id AS BIGINT)"),
                derivation("silver.orders.customer_id", ["bronze.orders.customer"], "CAST(customer AS BIGINT)"),
                derivation("silver.orders.net", ["bronze.orders.amount", "bronze.orders.discount"], price),
                derivation("silver.orders.day", ["bronze.orders.ts"], "to_date(ts)"),
            ],
            rows=["FILTER bronze.orders.amount", "WINDOW bronze.orders.ts"],
            conditions=["amount IS NOT NULL", "row_number() OVER (PARTITION BY order_id ORDER BY ts DESC) = 1"],
        ),
        process(
            "clean_costs",
            [
                derivation("silver.costs.order_id", ["bronze.costs.order_id"], "CAST(order_id AS BIGINT)"),
                derivation("silver.costs.cost", ["bronze.costs.cost"], cost, ["CONDITIONAL bronze.costs.currency"]),
            ],
        ),
    ]


def _gold() -> list[Graph]:
    return [
        process(
            "order_facts",
            [
                derivation("gold.order_facts.order_id", ["silver.orders.order_id"]),
                derivation("gold.order_facts.country", ["sales.customers.country"], "upper(c.country)"),
                derivation("gold.order_facts.net", ["silver.orders.net"]),
                derivation("gold.order_facts.cost", ["silver.costs.cost"], "coalesce(k.cost, 0)"),
                derivation("gold.order_facts.day", ["silver.orders.day"]),
            ],
            rows=["JOIN silver.orders.customer_id", "JOIN sales.customers.id", "JOIN silver.costs.order_id"],
            conditions=["o.customer_id = c.id", "o.order_id = k.order_id"],
        ),
        process(
            "revenue",
            [
                derivation("gold.revenue.country", ["gold.order_facts.country"]),
                derivation("gold.revenue.day", ["gold.order_facts.day"]),
                derivation("gold.revenue.revenue", ["gold.order_facts.net"], "sum(net)"),
                derivation(
                    "gold.revenue.margin", ["gold.order_facts.net", "gold.order_facts.cost"], "sum(net) - sum(cost)"
                ),
                derivation(
                    "gold.revenue.rank",
                    [],
                    "rank() OVER (PARTITION BY day ORDER BY sum(net) DESC)",
                    ["WINDOW gold.order_facts.net", "WINDOW gold.order_facts.day"],
                ),
            ],
            rows=["GROUP_BY gold.order_facts.country", "GROUP_BY gold.order_facts.day", "FILTER gold.order_facts.day"],
            conditions=["day >= date_sub(current_date(), 365)"],
        ),
        process(
            "publish_report",
            [
                derivation("serving.report.country", ["gold.revenue.country"]),
                derivation("serving.report.margin", ["gold.revenue.margin"], "round(margin, 2)"),
                derivation(
                    "serving.report.share", ["gold.revenue.margin"], "margin / sum(margin) OVER (PARTITION BY day)"
                ),
            ],
        ),
    ]


def chain(length: int, columns: int = 1) -> Graph:
    """Datasets d.0, d.1 … with columns c0, c1 …, each dataset copied to the next one; the focus is in the middle."""
    names = [f"c{at}" for at in range(columns)]
    datasets = [dataset(f"d.{at}", *(f"{name} int" for name in names)) for at in range(length)]
    made = [
        process(f"copy{at}", [derivation(f"d.{at + 1}.{name}", [f"d.{at}.{name}"]) for name in names])
        for at in range(length - 1)
    ]
    return graph(datasets, made, dataset=f"d.{length // 2}")


def large(columns: int = 800, processes: int = 100, hops: int = 6) -> Graph:
    """A graph of ``hops`` levels: the middle one has a dataset of ``columns`` columns, all others have 20."""
    per_level = processes // hops
    names = [f"c{at:03}" for at in range(columns)]
    levels = [[f"level{level}.table{at}" for at in range(per_level)] for level in range(hops + 1)]
    width = {name: 20 for level in levels for name in level} | {levels[hops // 2][0]: columns}
    datasets = [dataset(name, *(f"{each} bigint" for each in names[:count])) for name, count in width.items()]
    made = []
    for level in range(hops):
        for at, target in enumerate(levels[level + 1]):
            sources = [levels[level][(at * 3 + step) % per_level] for step in range(2)]
            if width[target] > 20 or level == hops // 2:
                sources[0] = levels[level][0]
            made.append(process(f"load_{target}", _load(target, sources, names, width)))
    return graph(datasets, made, dataset=levels[hops // 2][0])


def _load(target: str, sources: list[str], names: list[str], width: dict[str, int]) -> list[Graph]:
    made = []
    for at in range(width[target]):
        one, other = (f"{source}.{names[at % width[source]]}" for source in sources)
        if at % 3:
            made.append(derivation(f"{target}.{names[at]}", [one]))
        else:
            made.append(
                derivation(f"{target}.{names[at]}", [one, other], f"coalesce(a.{names[at]}, b.{names[at]} + {at})")
            )
    return made


def text(made: Graph) -> str:
    """The document as JSON."""
    return json.dumps(made)
