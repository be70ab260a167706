"""How the expression classes of Catalyst 3.1 to 4.x are written in Spark SQL: operators, arguments, what is not shown.

The names of functions are in ``function_names``.
"""

from enum import IntEnum, auto


class Level(IntEnum):
    """How tightly a text binds, loosest first, as in the grammar of Spark SQL."""

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

# Arguments that are no expressions: the parameters stand first, as they are.
LEADING_PARAMETERS = {
    "AtLeastNNonNulls": "n",
    "BoundReference": "ordinal",
    "GetColumnByOrdinal": "ordinal",
    "TimestampAdd": "unit",
    "TimestampDiff": "unit",
}
# The type is last, as a quoted text.
SCHEMA_PARAMETERS = {"CsvToStructs": "schema", "JsonToStructs": "schema", "XmlToStructs": "schema"}
# The children are the keys of the window, which are not written.
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
# Number types from small to large: casts of literals to the right are Spark's own.
WIDTHS = {"byte": 0, "short": 1, "integer": 2, "long": 3, "decimal": 4, "float": 5, "double": 6}
# The child that has the type of the whole, and functions that give integers, for those that widenings often contain.
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
# Their frame is fixed: Spark fills it in, so it is not written.
FRAMELESS = frozenset({"CumeDist", "DenseRank", "Lag", "Lead", "NTile", "PercentRank", "Rank", "RowNumber"})
# Classes that Spark puts around an expression without changing its meaning.
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
# The value is in a parameter, not among the children.
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
