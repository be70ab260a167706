import pytest

from core.user_names import without_users

ANNA, BOB = "user-68c766dd3a6d", "user-81b637d8fcd2"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Users/anna@contoso.com/Load", f"Users/{ANNA}/Load"),
        ("Users/Anna@Contoso.com/Load", f"Users/{ANNA}/Load"),
        ("Users/bob/jobs/Load", f"Users/{BOB}/jobs/Load"),
        ("Repos/anna@contoso.com/project/Load", f"Repos/{ANNA}/project/Load"),
        ("Workspace/Users/anna@contoso.com/Load", f"Workspace/Users/{ANNA}/Load"),
        ("load for anna@contoso.com, daily", f"load for {ANNA}, daily"),
        ("Users/Shared/Load", "Users/Shared/Load"),
        ("Repos/.internal/abc/Load", "Repos/.internal/abc/Load"),
        ("Shared/Load", "Shared/Load"),
        ("job 7", "job 7"),
        ("Users", "Users"),
        ("a@", "a@"),
        ("", ""),
    ],
)
def test_users_become_pseudonyms(name: str, expected: str) -> None:
    assert without_users(name) == expected


def test_notebooks_of_two_users_stay_two() -> None:
    assert without_users("Users/anna@contoso.com/Load") != without_users("Users/bob@contoso.com/Load")
