"""Removes what an address may contain and no name, row or log may show: users, passwords, keys, signatures."""

import re

from core.memo import remembers_short

# Longer texts are not searched; qualified_names shows none of them.
_LONGEST = 4096
# user:password@ before each host, Oracle's user/password@, but not the "thin:@" of its driver
_CREDENTIALS = re.compile(r"(?<=[/,:])(?!(?:oracle:)?(?:thin|oci8?):@)[^/@,:;?&]+[:/][^/@,;?&]{0,256}@")
# A value in braces may contain any character: password={a;b}
_BRACED = re.compile(r"=\{[^{}]*\}")
_PARAMETER = re.compile(r"([;&?,]|[/:](?=[A-Za-z_ ]+=))")
_SECRETS = re.compile(
    r".*(?:password|passwd|pwd|secret|token|credential|accountkey|accesskey).*|user|user ?name|user ?id|uid|sig",
    re.IGNORECASE | re.DOTALL,
)

# A shared access signature is a key, not part of the path.
_SIGNATURE = re.compile(r"\?(?:[^/]*&)?sig=.*", re.DOTALL)


@remembers_short(1024)
def without_secrets(text: str) -> str:
    """The namespace without the user, password and keys that a JDBC address may contain."""
    if len(text) > _LONGEST:
        return text
    if text.partition("://")[0].lower() not in ("abfss", "abfs", "wasbs", "wasb"):
        text = _CREDENTIALS.sub("", text)
    parts = _PARAMETER.split(_BRACED.sub(lambda found: re.sub(r"[;&?,]", " ", found[0]), text))
    shown = parts[0]
    for separator, pair in zip(parts[1::2], parts[2::2], strict=True):
        if not _SECRETS.fullmatch(pair.partition("=")[0].strip()):
            shown += separator + pair
    return shown


def without_signature(name: str) -> str:
    """A path without a shared access signature."""
    return _SIGNATURE.sub("", name) if len(name) <= _LONGEST else name
