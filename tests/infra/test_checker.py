"""The checker of Bicep finds mistakes: each is planted into files that are right, and must be named with its line."""

from pathlib import Path

import pytest

from tests.infra.checker import faults

VERSIONS = {"Microsoft.Storage/storageAccounts": "2025-06-01", "Microsoft.Network/virtualNetworks": "2025-05-01"}
MAIN = """\
param name string
param ranges string[] = []
param options shape = {}
type shape = { a: string?, b: small? }
type small = 'x' | 'y'
func short(long string) string => toLower(substring(long, 0, 3))
var rules = [for (range, index) in ranges: { ip: range, priority: 100 + index }]
var ips = map(rules, rule => rule.ip)

@description('A module.')
module part 'part.bicep' = if (!empty(ips)) {
  name: 'part'
  params: {
    name: short(name)
    size: options.?a ?? 'none'
  }
}
resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: '${name}${part!.outputs.id}'
  resource blobs 'blobServices' = {
    name: 'default'
    dependsOn: [tables]
  }
  resource tables 'tableServices' = {
    name: 'default'
  }
}
output tablesId string = account::tables.id
"""
PART = """\
param name string
param size string
param colour string = 'red'
param note string?
var told = '${name} ${size} ${colour} ${note}'
output id string = told
"""


def check(folder: Path, main: str) -> list[str]:
    (folder / "main.bicep").write_text(main)
    (folder / "part.bicep").write_text(PART)
    return faults(folder, VERSIONS)


def test_what_is_right_has_no_fault(tmp_path: Path) -> None:
    assert check(tmp_path, MAIN) == []


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("param ranges string[] = []", "param ranges string[] = [", "main.bicep:2: is no Bicep"),
        ("  params: {\n", "  params: \n", "main.bicep:13: is no Bicep"),
        ("!empty(ips)", "!empty(concat(ips, ip))", "main.bicep:11: ip is not declared"),
        ("name: short(name)", "name: short(nam)", "main.bicep:14: nam is not declared"),
        ("'${name}${", "'${nam}${", "main.bicep:19: nam is not declared"),
        ("100 + index", "100 + i", "main.bicep:7: i is not declared"),
        ("rule => rule.ip", "rule => rul.ip", "main.bicep:8: rul is not declared"),
        ("var ips = map(rules, ", "var ips = map(concat(rules, [range]), ", "main.bicep:8: range is not declared"),
        ("substring(long, 0", "substring(name, 0", "main.bicep:6: name is not declared"),
        ("= account::tables", "= acount::tables", "main.bicep:28: acount is not declared"),
        ("account::tables", "account::table", "main.bicep:28: account has no resource table"),
        ("dependsOn: [tables]", "dependsOn: [table]", "main.bicep:22: table is not declared"),
        ("output tablesId string = account::tables", "output t string = tables", "main.bicep:28: tables is not decl"),
        ("param options shape", "param options shapes", "main.bicep:3: the type shapes is not declared"),
        ("b: small?", "b: smal?", "main.bicep:4: the type smal is not declared"),
        ("toLower(", "lower(", "main.bicep:6: there is no function lower"),
        ("name: short(name)", "name: shrt(name)", "main.bicep:14: there is no function shrt"),
        ("@description(", "@describe(", "main.bicep:10: there is no decorator describe"),
        ("var rules", "param spare int = 1\nvar rules", "main.bicep:7: spare is not used"),
        ("var rules", "var spare = 1\nvar rules", "main.bicep:7: spare is not used"),
        ("'part.bicep'", "'parts.bicep'", "main.bicep:11: there is no parts.bicep"),
        ("    size:", "    colors: 'x'\n    size:", "main.bicep:15: part.bicep has no parameter colors"),
        (
            "    size: options.?a ?? 'none'\n",
            "    colour: options.?a\n",
            "main.bicep:11: part.bicep needs the parameter",
        ),
        ("outputs.id", "outputs.ids", "main.bicep:19: part.bicep has no output ids"),
        ("@2025-06-01", "@2025-6-1", "main.bicep:18: Microsoft.Storage/storageAccounts@2025-6-1 is no type@version"),
        ("@2025-06-01", "", "main.bicep:18: Microsoft.Storage/storageAccounts is no type@version"),
        ("'blobServices'", "'blob services'", "main.bicep:20: blob services is no type@version"),
        ("@2025-06-01", "@2025-06-02", "main.bicep:18: Microsoft.Storage/storageAccounts@2025-06-02: the known"),
        ("Microsoft.Storage/", "Microsoft.Store/", "main.bicep:18: Microsoft.Store/storageAccounts@2025-06-01: the kn"),
    ],
)
def test_a_planted_mistake_is_named(tmp_path: Path, right: str, wrong: str, fault: str) -> None:
    assert MAIN.count(right) == 1

    (found,) = check(tmp_path, MAIN.replace(right, wrong))

    assert found.startswith(fault)
