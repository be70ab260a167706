"""Requests to Apache Atlas with the answers that were recorded of it, to be asked again of any catalogue.

A case may rest on what earlier ones stored, so all are replayed in the recorded order, and then compared one by one.
"""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import requests

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("recorded_answers.json").read_text("utf-8"))["cases"]

# What every entity header contains; the recordings leave it out.
_HEADER = {
    "status": "ACTIVE",
    "classificationNames": [],
    "meaningNames": [],
    "meanings": [],
    "isIncomplete": False,
    "labels": [],
}
_VOLATILE = {
    "createdBy",
    "updatedBy",
    "createTime",
    "updateTime",
    "version",
    "relationshipGuid",
    "relationshipId",
    "requestId",
    "collectionId",
}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Names:
    """Translates between guids and their recorded spelling, ``@type|qualifiedName``."""

    def __init__(self) -> None:
        self._guids: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def learn(self, answer: Any) -> None:
        """Takes in every header of an answer."""
        if isinstance(answer, dict):
            attributes = answer.get("attributes")
            if "guid" in answer and isinstance(attributes, dict) and "qualifiedName" in attributes:
                name = f"@{answer['typeName']}|{attributes['qualifiedName']}"
                if answer["guid"] not in self._names:
                    self._names[answer["guid"]] = name
                    self._guids[name] = answer["guid"]
            for each in answer.values():
                self.learn(each)
        elif isinstance(answer, list):
            for each in answer:
                self.learn(each)

    def sent(self, recorded: Any) -> Any:
        """What to send for what was recorded; names that nothing has get a guid that nothing has."""
        if isinstance(recorded, dict):
            return {key: self.sent(each) for key, each in recorded.items()}
        if isinstance(recorded, list):
            return [self.sent(each) for each in recorded]
        if isinstance(recorded, str):
            return re.sub(r"@[^\"]+", lambda found: self._guids.get(found[0], str(uuid.UUID(int=7))), recorded)
        return recorded

    def recorded(self, answer: Any) -> Any:
        """An answer as the recording would spell it."""
        text = json.dumps(answer)
        return _plain(json.loads(_GUID.sub(lambda found: self._names.get(found[0], "@unknown"), text)))


def _plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    if isinstance(answer, str):
        return re.sub(r"\(ID \w+\)", "(ID ?)", answer)
    if not isinstance(answer, dict):
        return answer
    if _HEADER.items() <= answer.items() and "relationshipAttributes" not in answer:
        shown = {"header": answer["guid"], "attributes": answer["attributes"], "shown": answer["displayText"]}
        return shown | {"classified": "classifications" in answer}
    kept = (key for key in answer if key not in _VOLATILE or (key == "createTime" and "qualifiedName" in answer))
    return {key: _plain(answer[key]) for key in kept}


def comparable(answer: Any, recorded: Any) -> Any:
    """Orders what has no order, and leaves relationships aside that the recording's types didn't have."""
    if isinstance(answer, dict):
        keys = recorded.keys() if isinstance(recorded, dict) and "meanings" in recorded else answer.keys()
        beside = recorded if isinstance(recorded, dict) else {}
        return {key: comparable(answer[key], beside.get(key)) for key in keys if key in answer}
    if isinstance(answer, list):
        items = [comparable(each, recorded[0] if isinstance(recorded, list) and recorded else None) for each in answer]
        return sorted(items, key=lambda each: json.dumps(each, sort_keys=True))
    return answer


def _answer(response: requests.Response) -> Any:
    """The JSON of an answer; its text if it is not JSON, whatever its content type: Atlas labels some pages JSON."""
    try:
        return response.json()
    except requests.JSONDecodeError:
        return response.text


def replayed(api: str) -> list[tuple[int, Any]]:
    """Status and answer of every case, in the recording's spelling; ``api`` is the address before ``/entity``."""
    names, answers = Names(), []
    with requests.Session() as session:
        for case in CASES:
            sent = names.sent(case.get("request"))
            body = sent if isinstance(sent, str) else None if sent is None else json.dumps(sent)
            response = session.request(
                case["method"],
                api + names.sent(case["path"]),
                params=names.sent(case.get("params")),
                data=body or ("{}" if case["method"] == "POST" else None),
                headers={"Content-Type": "application/json"},
            )
            answer = _answer(response)
            names.learn(answer)
            answers.append((response.status_code, names.recorded(answer)))
    return answers
