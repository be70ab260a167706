"""What Spark SQL calls the expression classes of Catalyst 3.1 to 4.x: functions, operators, and what is not shown.

The names are those of Spark's function registry (``sql-expression-schema.md`` in its tests). A class that is in no
table here is a function whose name is the class in snake case: ``ArrayContains`` → ``array_contains``.
"""

import re
from enum import IntEnum, auto


class Level(IntEnum):
    """How tightly a text holds together, loosest first, as in the grammar of Spark SQL."""

    LAMBDA = auto()
    OR = auto()
    AND = auto()
    NOT = auto()
    COMPARISON = auto()
    BIT_OR = auto()
    BIT_XOR = auto()
    BIT_AND = auto()
    ADDITION = auto()
    MULTIPLICATION = auto()
    UNARY = auto()
    ATOM = auto()


INFIX = {
    "Or": (" OR ", Level.OR),
    "And": (" AND ", Level.AND),
    "EqualTo": (" = ", Level.COMPARISON),
    "EqualNullSafe": (" <=> ", Level.COMPARISON),
    "GreaterThan": (" > ", Level.COMPARISON),
    "GreaterThanOrEqual": (" >= ", Level.COMPARISON),
    "LessThan": (" < ", Level.COMPARISON),
    "LessThanOrEqual": (" <= ", Level.COMPARISON),
    "Like": (" LIKE ", Level.COMPARISON),
    "ILike": (" ILIKE ", Level.COMPARISON),
    "RLike": (" RLIKE ", Level.COMPARISON),
    "BitwiseOr": (" | ", Level.BIT_OR),
    "BitwiseXor": (" ^ ", Level.BIT_XOR),
    "BitwiseAnd": (" & ", Level.BIT_AND),
    "Add": (" + ", Level.ADDITION),
    "DateAddInterval": (" + ", Level.ADDITION),
    "DateAddYMInterval": (" + ", Level.ADDITION),
    "TimeAdd": (" + ", Level.ADDITION),
    "TimestampAddInterval": (" + ", Level.ADDITION),
    "TimestampAddYMInterval": (" + ", Level.ADDITION),
    "Subtract": (" - ", Level.ADDITION),
    "SubtractDates": (" - ", Level.ADDITION),
    "SubtractTimestamps": (" - ", Level.ADDITION),
    "Multiply": (" * ", Level.MULTIPLICATION),
    "MultiplyDTInterval": (" * ", Level.MULTIPLICATION),
    "MultiplyInterval": (" * ", Level.MULTIPLICATION),
    "MultiplyYMInterval": (" * ", Level.MULTIPLICATION),
    "Divide": (" / ", Level.MULTIPLICATION),
    "DivideDTInterval": (" / ", Level.MULTIPLICATION),
    "DivideInterval": (" / ", Level.MULTIPLICATION),
    "DivideYMInterval": (" / ", Level.MULTIPLICATION),
    "IntegralDivide": (" DIV ", Level.MULTIPLICATION),
    "Remainder": (" % ", Level.MULTIPLICATION),
}
# The right operand needs no parentheses either: the order of evaluation makes no difference.
ASSOCIATIVE = frozenset({"And", "Or"})
NEGATED = {
    "EqualTo": " <> ",
    "ILike": " NOT ILIKE ",
    "In": " NOT IN ",
    "InSet": " NOT IN ",
    "InSubquery": " NOT IN ",
    "Like": " NOT LIKE ",
    "RLike": " NOT RLIKE ",
}
PREFIX = {"UnaryMinus": "-", "UnaryPositive": "+", "BitwiseNot": "~"}
# The patterns of these are not in the JSON.
PATTERN_LISTS = {
    "LikeAll": " LIKE ALL (…)",
    "LikeAny": " LIKE ANY (…)",
    "NotLikeAll": " NOT LIKE ALL (…)",
    "NotLikeAny": " NOT LIKE ANY (…)",
}

FUNCTIONS = {
    # Aggregates and windows
    "AnyAgg": "any",
    "ApproximatePercentile": "percentile_approx",
    "Average": "avg",
    "BitAndAgg": "bit_and",
    "BitOrAgg": "bit_or",
    "BitXorAgg": "bit_xor",
    "CountMinSketchAgg": "count_min_sketch",
    "CovPopulation": "covar_pop",
    "CovSample": "covar_samp",
    "EveryAgg": "every",
    "HyperLogLogPlusPlus": "approx_count_distinct",
    "ListAgg": "listagg",
    "NTile": "ntile",
    "SomeAgg": "some",
    "TryAverage": "try_avg",
    "VariancePop": "var_pop",
    "VarianceSamp": "var_samp",
    # Arrays, maps and structs
    "ArrayAggregate": "aggregate",
    "ArrayExists": "exists",
    "ArrayFilter": "filter",
    "ArrayForAll": "forall",
    "ArrayTransform": "transform",
    "CreateArray": "array",
    "CreateMap": "map",
    "CreateNamedStruct": "named_struct",
    "CreateStruct": "struct",
    "PosExplode": "posexplode",
    # CSV, JSON and XML
    "CsvToStructs": "from_csv",
    "JsonToStructs": "from_json",
    "LengthOfJsonArray": "json_array_length",
    "StructsToCsv": "to_csv",
    "StructsToJson": "to_json",
    "StructsToXml": "to_xml",
    "XPathBoolean": "xpath_boolean",
    "XPathDouble": "xpath_double",
    "XPathFloat": "xpath_float",
    "XPathInt": "xpath_int",
    "XPathList": "xpath",
    "XPathLong": "xpath_long",
    "XPathShort": "xpath_short",
    "XPathString": "xpath_string",
    "XmlToStructs": "from_xml",
    # Dates and times
    "CurrentBatchTimestamp": "current_timestamp",
    "CurrentTimeZone": "current_timezone",
    "DateDiff": "datediff",
    "DateFormatClass": "date_format",
    "DayName": "dayname",
    "DayOfMonth": "dayofmonth",
    "DayOfWeek": "dayofweek",
    "DayOfYear": "dayofyear",
    "Extract": "date_part",
    "FromUnixTime": "from_unixtime",
    "GetTimestamp": "to_timestamp",
    "HoursOfTime": "hour",
    "LocalTimestamp": "localtimestamp",
    "MicrosToTimestamp": "timestamp_micros",
    "MillisToTimestamp": "timestamp_millis",
    "MinutesOfTime": "minute",
    "MonthName": "monthname",
    "ParseToDate": "to_date",
    "ParseToTimestamp": "to_timestamp",
    "ParseToTimestampLTZ": "to_timestamp_ltz",
    "ParseToTimestampNTZ": "to_timestamp_ntz",
    "SecondWithFraction": "second",
    "SecondsOfTime": "second",
    "SecondsToTimestamp": "timestamp_seconds",
    "TimestampAdd": "timestampadd",
    "TimestampDiff": "timestampdiff",
    "TruncDate": "trunc",
    "TruncTimestamp": "date_trunc",
    "WeekDay": "weekday",
    "WeekOfYear": "weekofyear",
    "YearOfWeek": "yearofweek",
    # Nulls
    "IfNull": "ifnull",
    "IsNaN": "isnan",
    "NaNvl": "nanvl",
    "NullIf": "nullif",
    "NullIfZero": "nullifzero",
    "ZeroIfNull": "zeroifnull",
    # Numbers
    "BRound": "bround",
    "BitwiseCount": "bit_count",
    "BitwiseGet": "bit_get",
    "EulerNumber": "e",
    "Log": "ln",
    "Logarithm": "log",
    "Murmur3Hash": "hash",
    "RoundCeil": "ceil",
    "RoundFloor": "floor",
    "ShiftLeft": "shiftleft",
    "ShiftRight": "shiftright",
    "ShiftRightUnsigned": "shiftrightunsigned",
    "ToDegrees": "degrees",
    "ToRadians": "radians",
    "XxHash64": "xxhash64",
    # Texts
    "EndsWith": "endswith",
    "InitCap": "initcap",
    "JaroWinkler": "jaro_winkler_similarity",
    "Luhncheck": "luhn_check",
    "RegExpCount": "regexp_count",
    "RegExpExtract": "regexp_extract",
    "RegExpExtractAll": "regexp_extract_all",
    "RegExpInStr": "regexp_instr",
    "RegExpReplace": "regexp_replace",
    "RegExpSubStr": "regexp_substr",
    "SoundEx": "soundex",
    "StartsWith": "startswith",
    "StringDecode": "decode",
    "StringInstr": "instr",
    "StringLPad": "lpad",
    "StringLocate": "locate",
    "StringRPad": "rpad",
    "StringRepeat": "repeat",
    "StringReplace": "replace",
    "StringSpace": "space",
    "StringSplit": "split",
    "StringToMap": "str_to_map",
    "StringTranslate": "translate",
    "StringTrim": "trim",
    "StringTrimBoth": "btrim",
    "StringTrimLeft": "ltrim",
    "StringTrimRight": "rtrim",
    "ToCharacter": "to_char",
    "UnBase64": "unbase64",
    # The rest
    "CallMethodViaReflection": "reflect",
    "SparkVersion": "version",
    "TypeOf": "typeof",
}

# Classes for many functions, and the parameters one of which has the function's name.
NAMED_FUNCTIONS = frozenset(
    {
        "ApplyFunctionExpression",
        "HiveGenericUDF",
        "HiveGenericUDTF",
        "HiveSimpleUDF",
        "HiveUDAFFunction",
        "Invoke",
        "PythonUDAF",
        "PythonUDF",
        "PythonUDTF",
        "ScalaAggregator",
        "ScalaUDAF",
        "ScalaUDF",
        "StaticInvoke",
        "UnresolvedFunction",
        "UnresolvedGenerator",
        "UserDefinedGenerator",
    }
)
NAME_PARAMETERS = ("udfName", "nameParts", "functionName", "aggregatorName", "name")

# Arguments that are no expressions: the parameters stand first, as they are.
LEADING_PARAMETERS = {
    "AtLeastNNonNulls": "n",
    "BoundReference": "ordinal",
    "GetColumnByOrdinal": "ordinal",
    "TimestampAdd": "unit",
    "TimestampDiff": "unit",
}
# A type stands last, as a quoted text.
SCHEMA_PARAMETERS = {"CsvToStructs": "schema", "JsonToStructs": "schema", "XmlToStructs": "schema"}
# The children are the keys of the window, and nobody writes them.
WITHOUT_ARGUMENTS = frozenset({"DenseRank", "PercentRank", "Rank"})
# Arguments that Spark fills in, by their position: literals with these values are not shown at the end.
DEFAULTS: dict[str, dict[int, str | None]] = {
    "Lag": {1: "1", 2: None},
    "Lead": {1: "1", 2: None},
    "MonthsBetween": {2: "true"},
    "RegExpReplace": {3: "1"},
    "StringLocate": {2: "1"},
    "StringSplit": {2: "-1"},
    "Substring": {2: "2147483647"},
}
# "ignoreNulls" is an argument of these; others have IGNORE NULLS behind the call.
NULLS_AS_ARGUMENT = frozenset({"AnyValue", "First", "Last"})
TRIMS = {"StringTrim": "BOTH", "StringTrimLeft": "LEADING", "StringTrimRight": "TRAILING"}

# Spark up to 3.1 casts integers to the type of the sum or average, which is the same without the cast.
WIDENED = {"Average": "double", "Sum": "long"}
INTEGERS = frozenset({"byte", "integer", "long", "short"})
# Number types by what they can hold: casts of literals to the right are Spark's own.
WIDTHS = {"byte": 0, "short": 1, "integer": 2, "long": 3, "decimal": 4, "float": 5, "double": 6}
# The child that has the type of the whole, and functions that give integers, as far as widenings often hold them.
TYPED_BY_CHILD = {"CaseWhen": 1, "Coalesce": 0, "If": 1}
GIVES_INTEGER = frozenset({"DateDiff", "DayOfMonth", "Length", "Month", "Size", "Year"})

ATTRIBUTES = frozenset({"AttributeReference", "PrettyAttribute", "UnresolvedAttribute"})
CASTS = frozenset({"AnsiCast", "Cast", "TryCast", "UpCast"})
_SUBQUERY = "(subquery)"
SUBQUERIES = {
    "DynamicPruningSubquery": _SUBQUERY,
    "Exists": f"EXISTS {_SUBQUERY}",
    "LateralSubquery": _SUBQUERY,
    "ListQuery": _SUBQUERY,
    "ScalarSubquery": _SUBQUERY,
    "ScalarSubqueryReference": _SUBQUERY,
}
# Their frame is fixed: Spark fills it in, and nobody writes it.
FRAMELESS = frozenset({"CumeDist", "DenseRank", "Lag", "Lead", "NTile", "PercentRank", "Rank", "RowNumber"})
# What Spark puts round an expression without changing what it says.
TRANSPARENT = frozenset(
    {
        "Alias",
        "AssertNotNull",
        "CheckOverflow",
        "CheckOverflowInSum",
        "CheckOverflowInTableInsert",
        "DynamicPruningExpression",
        "Empty2Null",
        "KnownFloatingPointNormalized",
        "KnownNotContainsNull",
        "KnownNotNull",
        "KnownNullable",
        "MakeDecimal",
        "MultiAlias",
        "NormalizeNaNAndZero",
        "PreciseTimestampConversion",
        "PromotePrecision",
        "TempResolvedColumn",
        "UnresolvedAlias",
        "UnscaledValue",
        "UnwrapOption",
        "ValidateExternalType",
        "WrapOption",
    }
)
# The value stands in a parameter, not among the children.
WRAPPED_IN_PARAMETER = {"LateralColumnAliasReference": "a", "OuterReference": "e"}
# Checks and paddings of CHAR and VARCHAR columns, called by StaticInvoke.
TRANSPARENT_METHODS = frozenset({"charTypeWriteSideCheck", "readSidePadding", "varcharTypeWriteSideCheck"})

# These can be true, or have a value, though one of their arguments is null.
NULL_TOLERANT = frozenset(
    {
        "And",
        "ArrayExists",
        "AtLeastNNonNulls",
        "CaseWhen",
        "Coalesce",
        "ConcatWs",
        "CreateArray",
        "CreateMap",
        "CreateNamedStruct",
        "EqualNull",
        "EqualNullSafe",
        "Exists",
        "Greatest",
        "If",
        "IfNull",
        "Invoke",
        "IsNotNull",
        "IsNull",
        "Least",
        "Murmur3Hash",
        "NaNvl",
        "NullIf",
        "Nvl",
        "Nvl2",
        "Or",
        "PythonUDF",
        "ScalaUDF",
        "Size",
        "StaticInvoke",
        "UnresolvedFunction",
        "XxHash64",
        "ZeroIfNull",
    }
)

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(kind: str) -> str:
    """The class as a function's name: ``MonotonicallyIncreasingID`` → ``monotonically_increasing_id``."""
    return _WORDS.sub("_", kind).lower() or "expression"
