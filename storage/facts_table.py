"""Facts that runs of an application share, and which runs wait for which facts: rows in table RunProcesses.

A partition is an application run. A row's key contains the topic, and at its end the run that wrote it:

- ``fact|{topic}|{run}``: a fact; ``wait|{topic}|{run}``: a run that lacks it,
- ``run|{run}``: the facts of a run, and whether those that wait for them were enqueued.

Topics contain only characters that the app chooses and sort as text, so that a range of keys is a range of times.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from storage.batches import delete_old_rows, delete_rows, transactions
from storage.clients import RUN_PROCESSES, StorageClients
from storage.faults import storage_faults
from storage.text import cut

_PREFIX = "application-"
#: UTF-16 units of a fact; a larger one is not stored.
MOST_UNITS = 30_000
#: Rows of one query; further ones are not read.
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a topic, as text, and the run that wrote it."""

    topic: str
    run_key: str
    text: str


class FactsTable:
    """Facts and waiting runs by application run and topic."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(RUN_PROCESSES)

    def facts(self, application: str, first: str, last: str, most: int = MOST_ROWS) -> tuple[Fact, ...]:
        """The facts about the topics from ``first`` to ``last``, in their order; at most ``most``.

        :raises StorageUnavailable: storage does not answer.
        """
        return tuple(self._range("fact", application, first, last, most))

    def waiting(self, application: str, first: str, last: str) -> tuple[Fact, ...]:
        """The runs that wait for a topic from ``first`` to ``last``, with the topic and no text.

        :raises StorageUnavailable: storage does not answer.
        """
        return tuple(self._range("wait", application, first, last, MOST_ROWS))

    def wait(self, application: str, run_key: str, topics: Iterable[str]) -> None:
        """Note that a run waits for topics.

        :raises StorageUnavailable: it may not be noted.
        """
        self._upsert([_row(application, f"wait|{topic}|{run_key}", "") for topic in topics])

    def put(self, application: str, run_key: str, facts: Mapping[str, str]) -> None:
        """Replace the facts of a run, as not yet announced.

        :raises StorageUnavailable: they may not be written.
        """
        row = self._own(application, run_key)
        before = set(str(row.get("topics") or "").split("\n")) - {""} if row else set[str]()
        topics = sorted(before | facts.keys())
        self._upsert([_row(application, f"run|{run_key}", "", topics="\n".join(topics), open=True)])
        self._upsert([_row(application, f"fact|{topic}|{run_key}", text) for topic, text in facts.items()])
        with storage_faults("delete facts"):
            gone = sorted(before - facts.keys())
            delete_rows(self._table, ((_PREFIX + application, f"fact|{topic}|{run_key}") for topic in gone))

    def close(self, application: str, run_key: str, facts: Mapping[str, str], digest: str) -> None:
        """Note that all runs which wait for these facts were enqueued.

        :raises StorageUnavailable: it may not be noted; then they are enqueued once more.
        """
        topics = "\n".join(sorted(facts))
        self._upsert([_row(application, f"run|{run_key}", digest, topics=topics, open=False)])

    def is_closed(self, application: str, run_key: str, digest: str) -> bool:
        """Whether exactly these facts of a run were announced; ``digest`` is "" for none.

        :raises StorageUnavailable: storage does not answer.
        """
        row = self._own(application, run_key)
        return (row is None and not digest) or (row is not None and not row.get("open") and row.get("text") == digest)

    def forget(self, before: datetime) -> int:
        """Delete the rows that were written before a time; returns how many.

        :raises StorageUnavailable: some may be left.
        """
        with storage_faults("forget facts of applications"):
            query = f"PartitionKey ge '{_PREFIX}' and PartitionKey lt '{_PREFIX}~'"
            return delete_old_rows(self._table, query, before)

    def _own(self, application: str, run_key: str) -> Mapping[str, object] | None:
        with storage_faults("read the facts of a run"):
            try:
                return self._table.get_entity(_PREFIX + application, f"run|{run_key}")
            except ResourceNotFoundError:
                return None

    def _range(self, kind: str, application: str, first: str, last: str, most: int) -> Iterator[Fact]:
        query = "PartitionKey eq @application and RowKey ge @first and RowKey lt @last"
        # "}" sorts after "|", which ends a topic.
        span = {"application": _PREFIX + application, "first": f"{kind}|{first}", "last": f"{kind}|{last}" + "}"}
        with storage_faults("read facts of an application"):
            for number, row in enumerate(self._table.query_entities(query, parameters=span)):
                if number == most:
                    return
                _, topic, run_key = row["RowKey"].split("|")
                yield Fact(topic, run_key, str(row.get("text") or ""))

    def _upsert(self, rows: list[dict[str, object]]) -> None:
        with storage_faults("write facts of an application"):
            for some in transactions(rows, lambda row: str(row["PartitionKey"])):
                if len(some) == 1:
                    self._table.upsert_entity(some[0], mode=UpdateMode.REPLACE)
                else:
                    operations = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in some]
                    self._table.submit_transaction(operations)


def _row(application: str, key: str, text: str, **more: object) -> dict[str, object]:
    return {"PartitionKey": _PREFIX + application, "RowKey": key, "text": cut(text, MOST_UNITS), **more}
