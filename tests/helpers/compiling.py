"""Compile programs that use a generated client; their comments say which lines are wrong, and how."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".mypy_cache" / "installed"
EVERYTHING = Path(__file__).parents[1] / "apps" / "everything"
GOLDEN = Path(__file__).parents[1] / "codegen" / "golden"
JS = ROOT / "clients" / "js"
CONVEX = ROOT / "examples" / "convex-chat" / "front"
"""Where npm ``convex`` is installed."""

Fault = tuple[int, str]
"""The number of a line and a code, as ``arg-type`` or ``TS2345``."""


def expected(program: str) -> set[Fault]:
    """Give the faults that a program's comments announce: ``# wrong: arg-type`` or ``// wrong: TS2345``."""
    lines = enumerate(program.splitlines(), 1)
    return {(number, found[1]) for number, line in lines if (found := re.search(r"(?:#|//) wrong: (\S+)", line))}


def check_python(program: str, folder: Path, *packages: Path) -> set[Fault]:
    """Give what ``mypy --strict`` finds in a program that imports these packages."""
    source = folder / "program.py"
    source.write_text(program)
    paths = [str(package.parent) for package in packages] + [str(ROOT / "clients" / "python"), str(ROOT / "protocol")]
    said = said_by_mypy(source, {"MYPYPATH": os.pathsep.join(paths)})
    return _faults(said, r"(\S+?):(\d+): error: .*\[([\w-]+)\]$", source.name)


def said_by_mypy(program: Path, environment: Mapping[str, str] | None = None) -> str:
    """Give what ``mypy --strict`` says about a program of somebody who has no settings for it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    options = ["--strict", "--config-file=", "--no-error-summary", f"--cache-dir={CACHE}"]
    env = {name: value for name, value in os.environ.items() if name != "MYPYPATH"} | dict(environment or {})
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # what one has looked at the next one finds: most of it is the same
        ended = subprocess.run(
            [sys.executable, "-m", "mypy", *options, program.name],
            cwd=program.parent, capture_output=True, text=True, timeout=300, env=env, check=False,
        )  # fmt: skip
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    return ended.stdout


def check_typescript(program: str, folder: Path, api: Path) -> set[Fault]:
    """Give what ``tsc`` finds in a program that imports ``./api.js`` (and in that file)."""
    (folder / "api.ts").write_text((api / "api.ts").read_text())
    sources = {"synovia-client": ["src/index.ts"], "synovia-client/react": ["src/react/index.ts"]}
    paths = {name: [str(JS / file) for file in files] for name, files in sources.items()}
    return _compiled(program, folder, JS, {"paths": paths})


def check_convex(program: str, folder: Path) -> set[Fault]:
    """Give what ``tsc`` finds in a program with npm ``convex`` that imports from ``./_generated`` (and there)."""
    return _compiled(program, folder, CONVEX, {"skipLibCheck": False})


def _compiled(program: str, folder: Path, project: Path, more: dict[str, object]) -> set[Fault]:
    """Compile a program with the packages and the rules of a project."""
    tsc = project / "node_modules" / ".bin" / "tsc"
    if not tsc.exists():
        if os.environ.get("CI") == "true":
            raise FileNotFoundError(tsc)
        pytest.skip(f"there is no compiler: cd {project} && npm ci")
    (folder / "program.tsx").write_text(program)
    (folder / "node_modules").symlink_to(project / "node_modules", target_is_directory=True)
    options = {"module": "ESNext", "moduleResolution": "Bundler", "types": [], **more}
    include = ["program.tsx", "*.ts", "_generated"]
    config = {"extends": str(project / "tsconfig.json"), "compilerOptions": options, "include": include}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    ended = subprocess.run(
        [str(tsc), "--pretty", "false", "-p", str(folder)], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode in (0, 1, 2), ended.stdout + ended.stderr
    return _faults(ended.stdout, r"(\S+?)\((\d+),\d+\): error (TS\d+):", "program.tsx")


def _faults(output: str, pattern: str, file: str) -> set[Fault]:
    found = re.findall(pattern, output, re.MULTILINE)
    elsewhere = [fault for fault in found if not fault[0].endswith(file)]
    assert not elsewhere, output
    return {(int(line), code) for _, line, code in found}
