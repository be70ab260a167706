"""Notes which version of the app writes the store, so that ``sparklin doctor`` can name it."""

import logging
from datetime import UTC, datetime

from core.errors import StorageUnavailable
from core.version import VERSION
from pipeline.services import Services

log = logging.getLogger(__name__)


def note_version(services: Services, now: datetime | None = None) -> None:
    """Note the version once a day. The timer does it, so that events cost no further request; failure is logged."""
    try:
        services.versions.note(VERSION, now or datetime.now(UTC))
    except StorageUnavailable as error:
        log.warning("the version of the store was not noted: %s", error.reason)
