"""The environment that act starts in.

act hands its whole environment on to every job, so it gets none but what is named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PASSED_ON = (
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_CONFIG_FILE",
    "PIP_TRUSTED_HOST",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_CONFIG_FILE",
    "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS",
    "UV_OFFLINE",
    "UV_PYTHON_PREFERENCE",
    "UV_PYTHON_DOWNLOADS",
    "NPM_CONFIG_USERCONFIG",
    "NPM_CONFIG_REGISTRY",
)
"""What a network of its own needs: certificates, proxies, package indexes. Nothing secret but
what an index address may hold."""


def user_home(environ: Mapping[str, str]) -> Path:
    """The user's home folder."""
    return Path(environ.get("HOME") or Path.home())


def user_cache(environ: Mapping[str, str]) -> Path:
    """The user's cache folder: ``$XDG_CACHE_HOME``, else ``~/.cache``."""
    named = environ.get("XDG_CACHE_HOME", "")
    if named:
        return Path(named)
    return user_home(environ) / ".cache"


def clean_environment(
    environ: Mapping[str, str], *, home: Path, extra_path: tuple[Path, ...] = ()
) -> dict[str, str]:
    """``PATH``, a scratch ``HOME``, the names of :data:`PASSED_ON`, and the shared caches.

    pip's and uv's caches and uv's Python versions stay the user's own, so that a run does not
    download again what the machine has. ``extra_path`` comes after the user's PATH.
    """
    cache = user_cache(environ)
    path = [environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"), *map(str, extra_path)]
    kept = {name: environ[name] for name in PASSED_ON if environ.get(name)}
    data = Path(environ.get("XDG_DATA_HOME") or user_home(environ) / ".local" / "share")
    return {
        **kept,
        "PATH": ":".join(path),
        "HOME": str(home),
        "UV_CACHE_DIR": environ.get("UV_CACHE_DIR") or str(cache / "uv"),
        "PIP_CACHE_DIR": environ.get("PIP_CACHE_DIR") or str(cache / "pip"),
        "UV_PYTHON_INSTALL_DIR": environ.get("UV_PYTHON_INSTALL_DIR")
        or str(data / "uv" / "python"),
        "GIT_TERMINAL_PROMPT": "0",
    }
