"""How git is given a token, and what of a remote's address is shown."""

from __future__ import annotations

import base64
from pathlib import Path

from assay.git import Repository, authorised, open_branch, without_password
from assay.state import Remote
from support.repositories import Sandbox, git_variables

SERVER = "https://github.example"
TOKEN = "ghs_secret"


def header(environment: dict[str, str], folder: Path, url: str) -> str:
    """What git itself makes of the environment for an address."""
    sandbox = Sandbox.make(folder)
    found = sandbox.repository.run(
        ["git", "config", "--get-urlmatch", "http.extraheader", url],
        sandbox.root,
        {**git_variables(folder), **environment},
        30.0,
    )
    return found.stdout.decode().strip()


def test_a_token_goes_to_its_server_alone_and_stands_in_no_argument(tmp_path: Path) -> None:
    remote = Remote(
        address=f"{SERVER}/octo/churn.git", environment={}, server_url=SERVER, token=TOKEN
    )
    expected = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    sent = header(remote.variables, tmp_path / "a", f"{SERVER}/octo/churn.git")
    assert sent == f"Authorization: Basic {expected}"
    assert header(remote.variables, tmp_path / "b", "https://evil.example/x.git") == ""
    assert TOKEN not in repr(remote)
    with open_branch(remote.address, "refs/heads/x", remote.variables) as branch:
        assert expected not in repr(branch)


def test_settings_that_git_was_given_already_stay(tmp_path: Path) -> None:
    given = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.sslCAInfo",
        "GIT_CONFIG_VALUE_0": "/ca.pem",
    }
    made = authorised(given, SERVER + "/", "abc")
    assert made["GIT_CONFIG_COUNT"] == "2"
    assert made["GIT_CONFIG_KEY_0"] == "http.sslCAInfo"
    assert header(made, tmp_path / "a", f"{SERVER}/x") == "Authorization: Basic abc"


def test_an_address_is_whole_for_git_and_bare_for_people(tmp_path: Path) -> None:
    sandbox = Sandbox.make(tmp_path / "clone")
    Sandbox.make(tmp_path / "other")
    sandbox.git("remote", "add", "origin", "https://me:pass@host/x.git")
    sandbox.git("remote", "add", "near", "../other")
    repository: Repository = sandbox.repository
    assert repository.remote_url() == "https://host/x.git"
    assert repository.remote_url(as_used=True) == "https://me:pass@host/x.git"
    near = repository.remote_url("near", as_used=True)
    assert near is not None
    assert Path(near).resolve() == tmp_path / "other"
    assert repository.remote_url("gone", as_used=True) is None
    assert without_password("https://me:pass@host/x.git") == "https://host/x.git"
