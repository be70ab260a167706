"""Examples for the help of each command, as they are typed. A test checks that their options exist."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "config": (
        "sparklin config spark --platform synapse --url https://x.azurewebsites.net",
        "sparklin config spark --platform submit --local >> conf/spark-defaults.conf",
    ),
    "config spark": (
        "sparklin config spark --platform synapse --url https://x.azurewebsites.net",
        "sparklin config spark --platform submit --local >> conf/spark-defaults.conf",
    ),
    "doctor": (
        "sparklin doctor --local",
        "sparklin doctor --receiver https://x.azurewebsites.net",
    ),
    "explain": (
        "sparklin explain abfss://data@lake.dfs.core.windows.net raw/customer",
        "sparklin explain --jsonl < names.jsonl",
    ),
    "grant": ("sparklin grant 5d7c1f3a-8b42-4e0f-9a61-2c90d1e7b8f4 --dry-run",),
    "key-tag": ("SPARKLIN_FUNCTION_KEY=… sparklin key-tag",),
    "lineage": (
        "sparklin lineage gold.revenue.margin --up --local",
        "sparklin lineage customer.email --down --events ./events",
        "sparklin lineage gold.revenue --html revenue.html",
    ),
    "preview": (
        "sparklin preview ./events",
        "sparklin preview run.jsonl.gz --html lineage.html",
    ),
    "purge": ("sparklin purge --older-than 90", "sparklin purge --older-than 90 --apply"),
    "rebuild": ("sparklin rebuild --dry-run", "sparklin rebuild --catalogue"),
    "relink": ("sparklin relink", "sparklin relink --apply"),
    "replay": (
        "sparklin replay --dead-letters",
        "sparklin replay --since 3d --dry-run",
    ),
    "rules": ("sparklin rules check names.toml",),
    "rules check": ("sparklin rules check names.toml", "sparklin rules check names.toml --json"),
    "send": (
        "sparklin send ./events --local",
        "cat events.jsonl | sparklin send - --receiver https://x.azurewebsites.net",
    ),
    "show": (
        "sparklin show my_notebook --since 7d",
        "sparklin show 01a204f9 --local --web",
    ),
    "status": ("sparklin status --since 2h", "sparklin status --local --json"),
    "verify": (
        "sparklin verify --local",
        "sparklin verify --receiver https://x.azurewebsites.net --hash-names",
    ),
}


def epilog(command: str) -> str:
    """The examples as the end of a command's help: a paragraph a line, as Typer keeps no line breaks."""
    listed = EXAMPLES.get(command, ())
    title = "Examples:" if len(listed) > 1 else "Example:"
    return "\n\n".join([title, *(f"  {example}" for example in listed)])
