"""The version that writes the store is noted, and the timer goes on if that is impossible."""

import logging
from dataclasses import replace

import pytest

from core.storage_connection import StorageConnection
from core.version import VERSION
from pipeline.services import Services
from pipeline.store_version import note_version
from storage.clients import connect
from storage.request_budget import budget
from storage.store_versions import StoreVersion, StoreVersions
from tests.storage.runs import NOON


def test_the_version_of_the_app_is_noted_for_the_day(services: Services) -> None:
    note_version(services, NOON)
    assert StoreVersion(VERSION, NOON, NOON) in services.versions.all()


def test_unavailable_storage_is_logged(
    services: Services, unreachable: StorageConnection, caplog: pytest.LogCaptureFixture
) -> None:
    with budget(0.5):
        note_version(replace(services, versions=StoreVersions(connect(unreachable))), NOON)
    assert [(record.levelno, record.name) for record in caplog.records if record.name.startswith("pipeline")] == [
        (logging.WARNING, "pipeline.store_version")
    ]
