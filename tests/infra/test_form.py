"""The form of *Deploy to Azure* fits the compiled template: parameters, defaults, allowed values, limits, texts.

No portal was available. The properties of elements are those of Microsoft's schema `uiFormDefinition.schema.json` of
2021-09-09, whose part that is used here is below.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.compiled import INFRA, template

Element = dict[str, Any]

_COMMON = {"name", "type", "label", "toolTip", "constraints"}
#: The properties that an element may have, and those that it must have.
ELEMENTS = {
    "Microsoft.Common.TextBox": (_COMMON | {"defaultValue", "multiLine"}, {"name", "type", "label"}),
    "Microsoft.Common.DropDown": (_COMMON | {"defaultValue"}, {"name", "type", "label", "constraints"}),
    "Microsoft.Common.CheckBox": (_COMMON, {"name", "type", "label"}),
    "Microsoft.Common.Slider": (
        _COMMON | {"defaultValue", "min", "max", "showStepMarkers"}, {"name", "type", "label", "min", "max"},
    ),
    "Microsoft.Common.SubscriptionSelector": ({"name", "type", "resourceProviders"}, {"name", "type"}),
    "Microsoft.Common.LocationSelector": (
        {"name", "type", "label", "toolTip", "scope", "resourceTypes"}, {"name", "type", "label", "scope"},
    ),
}  # fmt: skip
CONSTRAINTS = {"required", "validations", "allowedValues"}
PARAMETERS = template()["parameters"]


def form() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((INFRA / "uiFormDefinition.json").read_text("utf-8"))
    return found


def elements() -> Iterator[tuple[str, Element]]:
    """The elements with the names of their steps."""
    for step in form()["view"]["properties"]["steps"]:
        assert step.keys() == {"name", "label", "elements"}
        yield from ((step["name"], element) for element in step["elements"])


BY_NAME = {element["name"]: element for _, element in elements()}
STEPS = {element["name"]: step for step, element in elements()}
OUTPUTS = form()["view"]["outputs"]


def test_elements_have_the_properties_of_the_schema() -> None:
    for _, element in elements():
        may, must = ELEMENTS[element["type"]]
        assert must <= element.keys() <= may, element["name"]
        assert element.get("constraints", {}).keys() <= CONSTRAINTS
    assert len(BY_NAME) == len(list(elements()))


def test_the_form_deploys_to_the_subscription_as_the_template_does() -> None:
    assert "subscriptionDeploymentTemplate" in template()["$schema"]
    assert OUTPUTS.keys() == {"kind", "subscriptionId", "location", "parameters"}
    assert OUTPUTS["kind"] == "Subscription"


def test_every_parameter_is_asked_for_and_no_other() -> None:
    assert list(OUTPUTS["parameters"]) == list(PARAMETERS)
    assert BY_NAME.keys() == PARAMETERS.keys() | {"subscription"}


def test_resources_that_outputs_refer_to_exist() -> None:
    referred = [
        (step, name)
        for text in (*OUTPUTS["parameters"].values(), OUTPUTS["subscriptionId"], OUTPUTS["location"])
        for step, name in re.findall(r"steps\('(\w+)'\)\.(\w+)", text)
    ]
    assert {name: step for step, name in referred} == STEPS
    assert BY_NAME["location"]["scope"]["subscriptionId"] == OUTPUTS["subscriptionId"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_gets_what_its_element_gives(name: str) -> None:
    """Unchanged; a text becomes a number, a list or an object if the template requires one."""
    parameter, value = PARAMETERS[name], f"steps('{STEPS[name]}').{name}"
    kind = BY_NAME[name]["type"].rpartition(".")[2]
    given = {
        "location": f"[{value}.name]",
        "resourceGroupName": f"[if(empty({value}), concat('rg-', steps('basics').environmentName), {value})]",
        "settings": f"[parse({value})]",
        "eventFolders": f"[if(empty({value}), parse('[]'), split({value}, ' '))]",
        "allowedAddresses": f"[if(empty({value}), parse('[]'), split({value}, ' '))]",
        "eventRetentionDays": f"[int({value})]",
    }
    assert OUTPUTS["parameters"][name] == given.get(name, f"[{value}]")
    if name not in given:
        assert (parameter["type"], kind) in {
            ("string", "TextBox"), ("string", "DropDown"), ("int", "DropDown"), ("bool", "CheckBox"), ("int", "Slider"),
        }  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_defaults_are_those_of_the_template(name: str) -> None:
    element, parameter = BY_NAME[name], PARAMETERS[name]
    default = parameter.get("defaultValue", "")
    if name == "resourceGroupName":
        assert (default, element["defaultValue"]) == ("[format('rg-{0}', parameters('environmentName'))]", "")
    elif parameter.get("type") == "bool":
        assert default is False  # A check box is not ticked at first.
    elif parameter.get("type") == "array":
        assert (default, element["defaultValue"]) == ([], "")
    elif name != "location":
        assert str(element["defaultValue"]) == ("{}" if name == "settings" else str(default))
    is_needed = "defaultValue" not in parameter or default not in ("", [], {}, False)
    if name not in ("location", "resourceGroupName", "settings"):
        assert element.get("constraints", {}).get("required", False) == is_needed


@pytest.mark.parametrize("name", PARAMETERS)
def test_values_are_limited_as_in_the_template(name: str) -> None:
    element, parameter = BY_NAME[name], PARAMETERS[name]
    allowed = element.get("constraints", {}).get("allowedValues")
    assert [each["value"] for each in allowed or []] == parameter.get("allowedValues", [])
    assert all(each["label"] == str(each["value"]) for each in allowed or [])
    if "min" in element:
        assert (element["min"], element["max"]) == (parameter["minValue"], parameter["maxValue"])


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("environmentName", ["p", "x" * 40], ["", "x" * 41]),
        ("purviewAccountName", ["abc"], ["ab"]),
        ("eventRetentionDays", ["31", "39", "40", "100", "36500"], ["30", "9", "0", "-31", "3e2", "31.5", " 31"]),
        ("settings", ["{}", '{"A": "1"}', '\n{\n"A": "1"\n}\n'], ["", "A=1", "[]"]),
    ],
)
def test_texts_are_checked_before_azure_is_asked(name: str, right: list[str], wrong: list[str]) -> None:
    patterns = [each["regex"] for each in BY_NAME[name]["constraints"]["validations"]]
    assert [text for text in (*right, *wrong) if all(re.search(pattern, text) for pattern in patterns)] == right


def test_texts_have_no_limit_that_the_template_lacks() -> None:
    limited = {name for name, each in BY_NAME.items() if "validations" in each.get("constraints", {})}
    minima = {name for name, each in PARAMETERS.items() if {"minLength", "maxLength"} & each.keys()}
    assert limited == minima | {"eventRetentionDays", "settings"}


@pytest.mark.parametrize("name", PARAMETERS)
def test_help_is_what_the_template_says(name: str) -> None:
    assert BY_NAME[name]["toolTip"] == PARAMETERS[name]["metadata"]["description"]
