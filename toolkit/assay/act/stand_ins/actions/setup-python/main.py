"""Stand-in for actions/setup-python: finds an interpreter on this machine and installs nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def setting(name: str) -> str:
    return os.environ.get("STAND_IN_" + name, "").strip()


def fail(message: str) -> None:
    print("::error title=setup-python (stand-in)::" + message)
    sys.exit(1)


def wanted_version() -> str:
    if setting("VERSION"):
        return setting("VERSION")
    if setting("VERSION_FILE"):
        file = Path(os.environ["GITHUB_WORKSPACE"], setting("VERSION_FILE"))
        if not file.is_file():
            fail("python-version-file '{}' does not exist".format(setting("VERSION_FILE")))
        return file.read_text(encoding="utf-8").split()[0]
    return ""


def version_of(program: str) -> str:
    code = "import platform; print(platform.python_version())"
    done = subprocess.run(
        [program, "-I", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.stdout.decode().strip() if done.returncode == 0 else ""


def candidates(minor: str) -> "list[str]":
    found = [shutil.which("python" + minor) or "", shutil.which("python3") or ""]
    uv = shutil.which("uv")
    if uv and minor:
        done = subprocess.run(
            [uv, "python", "find", "--no-project", minor],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        found.append(done.stdout.decode().strip())
    return [program for program in found if program]


def main() -> None:
    wanted = wanted_version()
    numbers = re.match(r"(\d+\.\d+)", wanted)
    minor = numbers.group(1) if numbers else ""
    for program in candidates(minor):
        version = version_of(program)
        if not version or (minor and not version.startswith(minor + ".")):
            continue
        real = (
            subprocess.run(
                [program, "-I", "-c", "import sys; print(sys.executable)"], stdout=subprocess.PIPE
            )
            .stdout.decode()
            .strip()
        )
        if setting("UPDATE_ENVIRONMENT") != "false":
            with open(os.environ["GITHUB_PATH"], "a", encoding="utf-8") as path:
                path.write(f"{Path(real).parent}\n")
        with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
            out.write(f"python-version={version}\npython-path={real}\n")
        print(f"Python {version} at {real}")
        return
    fail(f"no Python {wanted} on this machine, and the stand-in installs none")


if __name__ == "__main__":
    main()
