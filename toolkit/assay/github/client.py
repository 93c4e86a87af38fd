"""GitHub's REST API for one repository: retries, pages, limits, and errors that say what to do.

PyGithub does the talking (authentication, rate limits, GitHub Enterprise Server); this class
turns its answers into plain data and its errors into :class:`assay.errors.OutsideError`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, cast

import requests
from github import Auth, Github, GithubException, GithubRetry

from assay.errors import AssayError, OutsideError

_LOG = logging.getLogger(__name__)
PER_PAGE = 100
_MOST_PAGES = 100
_TIMEOUT = 20
_NEEDS = {
    "comments": "pull-requests: write",
    "issues": "issues: write",
    "check-runs": "checks: write",
    "actions": "actions: read",
    "contents": "contents: read",
    "pulls": "pull-requests: read",
    "collaborators": "contents: read",
}


class NotFound(OutsideError):
    """GitHub answered 404: it is not there, or the token may not see it."""


class Refused(OutsideError):
    """GitHub answered 401 or 403: the token is wrong or may not do this."""


class _LoggedRetry(GithubRetry):
    """PyGithub's retries, each of them said in the log."""

    def increment(self, *args: Any, **kwargs: Any) -> Self:
        """Decide as PyGithub does; raises where it does not try again."""
        again = cast("Self", super().increment(*args, **kwargs))
        response, error = kwargs.get("response"), kwargs.get("error")
        why = f"status {response.status}" if response is not None else type(error).__name__
        _LOG.warning("GitHub is asked again: %s %s (%s)", *_what(args, kwargs), why)
        return again


def _what(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, str]:
    """The method and the path, without query, of a request that failed."""
    method, url = (*args, kwargs.get("method"), kwargs.get("url"))[:2]
    return str(method), str(url).partition("?")[0]


class Client:
    """One repository's API under one token.

    ``api_url`` is GITHUB_API_URL: ``https://api.github.com``, or ``https://<host>/api/v3`` on
    Enterprise Server. ``backoff`` is the first pause between tries, in seconds; it doubles.
    """

    def __init__(
        self, *, repository: str, token: str, api_url: str, backoff: float = 1.0, tries: int = 4
    ) -> None:
        self.repository = repository
        # PyGithub prints every 403, also one that is an answer; what is asked again we say.
        logging.getLogger("github").setLevel(logging.WARNING)
        retry = _LoggedRetry(
            total=tries,
            backoff_factor=backoff,
            secondary_rate_wait=60,
            max_rate_limit_wait=300,
        )
        self._github = Github(
            auth=Auth.Token(token),
            base_url=api_url,
            timeout=_TIMEOUT,
            retry=retry,
            user_agent="assay",
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        self._token = token
        self._api_url = api_url

    def get(self, path: str, **parameters: str | int) -> Any:
        """Return the JSON at ``path``, which is relative to the repository."""
        return self._request("GET", self._url(path), parameters=parameters or None)

    def pages(
        self, path: str, *, key: str | None = None, **parameters: str | int
    ) -> Iterator[dict[str, Any]]:
        """Yield every object of a paged list; ``key`` names the list inside each page's object."""
        for page in range(1, _MOST_PAGES + 1):
            asked = {**parameters, "per_page": PER_PAGE, "page": page}
            answer = self._request("GET", self._url(path), parameters=asked)
            items = answer.get(key) if key and isinstance(answer, dict) else answer
            if not isinstance(items, list):
                raise OutsideError(f"GitHub's answer to {path} is no list.")
            yield from (item for item in items if isinstance(item, dict))
            if len(items) < PER_PAGE:
                return
        raise OutsideError(f"GitHub's list of {path} has no end after {_MOST_PAGES} pages.")

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Create something."""
        return self._request("POST", self._url(path), body=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Change something."""
        return self._request("PATCH", self._url(path), body=body)

    def delete(self, path: str) -> None:
        """Delete something."""
        self._request("DELETE", self._url(path))

    def login(self) -> str | None:
        """Return whose token this is; None for a job's or an app's token, which cannot ask."""
        try:
            answer = self._request("GET", "/user")
        except (Refused, NotFound):
            return None
        login = answer.get("login") if isinstance(answer, dict) else None
        return login if isinstance(login, str) else None

    def download(self, path: str, *, most: int) -> bytes:
        """Return the bytes at ``path``, following redirects without the token.

        Raises OutsideError where they are more than ``most``.
        """
        address = f"{self._api_url}{self._url(path)}"
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": "assay"}
        with (
            _explained(f"GET {path}"),
            requests.get(address, headers=headers, stream=True, timeout=_TIMEOUT) as answer,
        ):
            if answer.status_code >= 400:
                raise _explain(answer.status_code, answer.reason, f"GET {path}")
            content = bytearray()
            for chunk in answer.iter_content(1 << 16):
                content += chunk
                if len(content) > most:
                    raise OutsideError(
                        f"{path} has more than {most:,} bytes, more than evidence has.",
                        remedy="It is not read.",
                    )
        return bytes(content)

    def close(self) -> None:
        """Close the connections."""
        self._github.close()

    def _url(self, path: str) -> str:
        return f"/repos/{self.repository}/{path}" if path else f"/repos/{self.repository}"

    def _request(
        self,
        verb: str,
        url: str,
        *,
        parameters: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
    ) -> Any:
        with _explained(f"{verb} {url}"):
            _, answer = self._github.requester.requestJsonAndCheck(
                verb, url, parameters=parameters, input=body
            )
        return answer


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except GithubException as error:
        raise _explain(error.status, _message(error), what) from None
    except requests.exceptions.SSLError as error:
        raise OutsideError(
            f"GitHub's certificate was not accepted ({what}: {_short(error)}).",
            remedy="Behind a private certificate authority set REQUESTS_CA_BUNDLE to its file.",
        ) from None
    except requests.exceptions.Timeout:
        raise OutsideError(
            f"GitHub did not answer within {_TIMEOUT} s ({what}).", remedy="Run the job again."
        ) from None
    except requests.exceptions.RequestException as error:
        raise OutsideError(
            f"GitHub could not be reached ({what}: {_short(error)}).",
            remedy="Check GITHUB_API_URL, the runner's network and its proxy, and run again.",
        ) from None


def _message(error: GithubException) -> str:
    data = error.data
    message = data.get("message") if isinstance(data, dict) else None
    return str(message or error)[:300]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _explain(status: int, message: str, what: str) -> AssayError:
    said = f"GitHub answered {status} to {what}: {message}."
    match status:
        case 401:
            return Refused(said, remedy="The token is missing or expired: pass `github-token`.")
        case 403 | 429 if "rate limit" in message.lower():
            return OutsideError(said, remedy="The rate limit is used up: run the job again later.")
        case 403:
            return Refused(
                said,
                remedy=f"Grant the job `permissions: {_needed(what)}`; a fork's "
                "or Dependabot's run cannot have it, and uses publish-report.",
            )
        case 404:
            return NotFound(
                said,
                remedy=f"It does not exist, or the token may not see it (`{_needed(what)}`).",
            )
        case 422:
            return OutsideError(said, remedy="GitHub took the request for invalid.")
        case _ if status >= 500:
            return OutsideError(said, remedy="GitHub has a fault: run the job again.")
    return OutsideError(said)


def _needed(what: str) -> str:
    """Name the permission that a request needs, by the resource in its path."""
    parts = what.split("/")
    found = next((_NEEDS[part] for part in reversed(parts) if part in _NEEDS), "contents: read")
    if "GET " in what and found in {"pull-requests: write", "issues: write"}:
        return found.replace("write", "read")
    return found
