"""Programs in Node.js that do steps: a line of JSON each, and one of answer."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import ChildFailed

_FAREWELL = 15.0


class NodeProgram:
    """A program that runs."""

    def __init__(self, name: str, process: Process, patience: float) -> None:
        self._name = name
        self._process = process
        self._patience = patience

    async def ask(self, step: str, **args: Any) -> Any:
        """Do one of its steps and give the answer.

        Raises:
            ChildFailed: It failed, or the program has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"step": step, **args}).encode() + b"\n")
        async with asyncio.timeout(self._patience):
            line = await self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it has ended"}
        if "error" in answer:
            raise ChildFailed(f"{self._name}: {step}: {answer['error']}")
        return answer["value"]


@asynccontextmanager
async def node_program(
    name: str, script: Path, *args: str, patience: float, longest_answer: int = 1 << 16, node: str = "node"
) -> AsyncIterator[NodeProgram]:
    """Run a script until the block ends, which ends it by closing its input.

    Args:
        name: For errors.
        patience: Seconds that a step may take.
        longest_answer: In bytes.
        node: The program that runs it.
    """
    process = await asyncio.create_subprocess_exec(
        node, str(script), *args, stdin=PIPE, stdout=PIPE, limit=longest_answer
    )
    try:
        yield NodeProgram(name, process, patience)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _FAREWELL)
        except TimeoutError:
            process.kill()
            await process.wait()
