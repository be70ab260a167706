"""Examples for the help of each command, as they are typed in a checkout while `make demo` waits, or after `make up`.

A test runs each of them, except those with the address or the identity of somebody's app, whose options are checked.
"""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "config": (
        "sparklin config spark --platform synapse --url https://x.azurewebsites.net",
        "sparklin config spark --platform submit --local",
    ),
    "config spark": (
        "sparklin config spark --platform synapse --url https://x.azurewebsites.net",
        "sparklin config spark --platform submit --local",
    ),
    "doctor": (
        "sparklin doctor --local",
        "sparklin doctor --receiver https://x.azurewebsites.net",
    ),
    "explain": (
        "sparklin explain abfss://data@lake.dfs.core.windows.net raw/customer",
        "sparklin explain --jsonl < examples/names.jsonl",
    ),
    "grant": ("sparklin grant 5d7c1f3a-8b42-4e0f-9a61-2c90d1e7b8f4 --dry-run",),
    "key-tag": ("SPARKLIN_FUNCTION_KEY=… sparklin key-tag",),
    "lineage": (
        "sparklin lineage revenue.margin --up --local",
        "sparklin lineage order_lines.cost --down --events examples/shop",
        "sparklin lineage revenue --local --html revenue.html",
    ),
    "preview": (
        "sparklin preview examples/shop",
        "sparklin preview examples/shop --html lineage.html",
    ),
    "purge": ("sparklin purge --older-than 90 --local", "sparklin purge --older-than 90 --apply --local"),
    "rebuild": ("sparklin rebuild --dry-run --local", "sparklin rebuild --catalogue --local"),
    "relink": ("sparklin relink --local", "sparklin relink --apply --local"),
    "replay": (
        "sparklin replay --dead-letters --local",
        "sparklin replay --since 3d --dry-run --local",
    ),
    "rules": ("sparklin rules check examples/names.toml",),
    "rules check": ("sparklin rules check examples/names.toml --json",),
    "send": (
        "sparklin send examples/shop --local",
        "cat examples/shop/gold/_lineage_1.ndjson | sparklin send - --local",
        "sparklin send events.jsonl.gz --receiver https://x.azurewebsites.net",
    ),
    "show": (
        "sparklin show nb_gold --since 7d --local",
        "sparklin show 01a22750 --local",
    ),
    "status": ("sparklin status --since 2h --local", "sparklin status --local --json"),
    "verify": (
        "sparklin verify --local",
        "sparklin verify --receiver https://x.azurewebsites.net",
    ),
}


def epilog(command: str) -> str:
    """The examples as the end of a command's help: a paragraph a line, as Typer keeps no line breaks."""
    listed = EXAMPLES.get(command, ())
    title = "Examples:" if len(listed) > 1 else "Example:"
    return "\n\n".join([title, *(f"  {example}" for example in listed)])
