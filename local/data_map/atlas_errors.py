"""The errors of the Data Map: Atlas' codes and texts, and how each is answered.

DataMapError
├── AtlasError    JSON body; the HTTP status is the first number in the code
└── ServerFault   HTTP 500 in plain text: what Atlas answers to unexpected requests
"""

from typing import Any

TEXTS = {
    "ATLAS-400-00-013": "Type {} with unique attribute {} does not exist",
    "ATLAS-400-00-014": "Type {} with name {} does not exist",
    "ATLAS-400-00-01A": "invalid parameters: {}",
    "ATLAS-400-00-021": "ObjectId is not valid {}",
    "ATLAS-400-00-029": "Given typename {} was invalid",
    "ATLAS-400-00-036": "invalid relationshipDef: {}: end type 1: {}, end type 2: {}",
    "ATLAS-404-00-001": "Given typename {} was invalid",
    "ATLAS-404-00-005": "Given instance guid {} is invalid/not found",
    "ATLAS-404-00-007": "Invalid instance creation/updation parameters passed : {}",
    "ATLAS-404-00-009": "Instance {} with unique attribute {{qualifiedName={}}} does not exist",
    "ATLAS-404-00-00A": "Referenced entity {} is not found",
    "ATLAS-404-00-00C": "Given relationship guid {} is invalid/not found",
    "ATLAS-404-00-011": "Given instance guid {} with type {} is not a valid lineage entity type.",
    "ATLAS-409-00-001": "Given type {} already exists",
    "ATLAS-409-00-004": "relationship {} already exists between entities {} and {}",
}


class DataMapError(Exception):
    """Anything that ends a request with an error answer."""


class AtlasError(DataMapError):
    """An error with a code of Atlas; ``parts`` fill the placeholders of its text."""

    def __init__(self, code: str, *parts: object) -> None:
        self.code = code
        self.text = TEXTS[code].format(*parts)
        super().__init__(f"{code} {self.text}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.code.split("-")[1])

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body; Purview puts the request's id before Atlas' text."""
        return {"requestId": request_id, "errorCode": self.code, "errorMessage": self.text}


class ServerFault(DataMapError):
    """A 500 in plain text; the message says what was wrong, for the log only."""
