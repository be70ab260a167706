"""The name of a process: one per application and sink, whatever the inputs, runs or look-ups were."""

from core.model import Application, Resolution
from purview.limits import cut, cut_uniquely

_ESCAPES = str.maketrans(
    {"%": "%25", "/": "%2F", "#": "%23", **{chr(code): f"%{code:02X}" for code in (*range(32), 127)}}
)


def process_name(application: Application, sink: Resolution) -> tuple[str, str]:
    """The qualified name and the name of the process that fills ``sink``.

    The qualified name is ``sparklin://{job namespace}/{application}#{qualified name of the sink by our rules}``.
    ``%``, ``/``, ``#`` and control characters of the first two parts are percent-encoded, so that two different
    applications never share a name; what lies behind the first ``#`` is the sink's name as it is.
    """
    job = f"{application.namespace.translate(_ESCAPES)}/{application.name.translate(_ESCAPES)}"
    qualified_name = f"sparklin://{job}#{sink.asset.qualified_name}"
    return cut_uniquely(qualified_name), cut(f"{application.name} → {sink.short_name}")
