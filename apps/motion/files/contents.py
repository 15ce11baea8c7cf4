"""What the numbers of an OpenSim file are: its title and its name tell angles from speeds, errors and forces."""

from __future__ import annotations

import re
from pathlib import Path

_ANGLES = {"coordinates"}
_TITLES: dict[str, str] = {
    "speeds": "speeds",
    "velocities": "speeds",
    "accelerations": "accelerations",
    "positionerrors": "errors of the tracked positions",
    "actuatorforces": "forces of actuators",
    "actuatorpowers": "powers of actuators",
    "actuatorspeeds": "speeds of actuators",
    "controls": "controls",
    "excitations": "excitations of muscles",
    "activations": "activations of muscles",
    "electromyography": "muscle signals (EMG)",
    "emg": "muscle signals (EMG)",
    "staticoptimization": "results of static optimization",
    "modelforces": "forces",
    "externalforces": "forces",
    "groundreactionforces": "ground reaction forces",
    "modelprobes": "probes",
    "jointreactionloads": "joint reaction loads",
    "inversedynamics": "moments and forces (inverse dynamics)",
    "inversedynamicsgeneralizedforces": "moments and forces (inverse dynamics)",
    "inducedaccelerations": "induced accelerations",
    "positions": "positions of bodies",
    "pointposition": "positions of a point",
    "pointvelocity": "velocities of a point",
    "pointacceleration": "accelerations of a point",
    "centerofmass": "positions of the centre of mass",
    "modelmarkerlocationsfromik": "positions of markers",
    "modelmarkererrorsfromik": "errors of markers",
    "momentarms": "moment arms of muscles",
    "musclelengths": "lengths of muscles",
}
"""Titles that OpenSim's tools write, without blanks and in lower case, and what they mean."""
_ENDINGS = tuple(
    (re.compile(pattern, re.IGNORECASE), said)
    for pattern, said in (
        (r"_kinematics_u$", "speeds"),
        (r"_kinematics_dudt$", "accelerations"),
        (r"_p_?err$", "errors of the tracked positions"),
        (r"_controls$", "controls"),
        (r"_actuation_force$", "forces of actuators"),
        (r"_actuation_power$", "powers of actuators"),
        (r"_actuation_speed$", "speeds of actuators"),
        (r"_(staticoptimization)_\w+$", "results of static optimization"),
        (r"_jointreaction(_\w+)?$", "joint reaction loads"),
        (r"_(inversedynamics|inverse_dynamics)$", "moments and forces (inverse dynamics)"),
        (r"_bodykinematics_(pos|vel|acc)_\w+$", "positions, velocities or accelerations of bodies"),
        (r"_muscleanalysis_\w+$|_momentarm_\w+$", "results of a muscle analysis"),
        (r"_deriv_\d+$|_(accelerations|velocities)$", "speeds or accelerations"),
        (r"_(grf|ground_?reactions?|ground_reaction_forces?)$", "ground reaction forces"),
    )
)


def are_angles(title: str) -> bool:
    """Tell whether the title says that these are angles."""
    return _plain(title) in _ANGLES


def no_angles(title: str, name: str) -> str | None:
    """Tell what the numbers are where title or file name say that they are no angles; None: nothing speaks against it.

    Args:
        title: The first line of the file; a title of one word may end as the file names below do.
        name: The file's name, which OpenSim's tools end with what is in the file; the title goes first.
    """
    if (known := _TITLES.get(_plain(title))) is not None:
        return f'{known} (its title is "{title[:60]}")'
    if are_angles(title):
        return None
    if not re.search(r"\s", title) and (known := _by_ending(f"_{title}")) is not None:
        return f'{known} (its title is "{title[:60]}")'
    known = _by_ending(Path(name).stem)
    return f'{known} (by its name, "{name[:80]}")' if known else None


def _plain(title: str) -> str:
    return re.sub(r"[\s_]+", "", title).lower()


def _by_ending(stem: str) -> str | None:
    return next((said for pattern, said in _ENDINGS if pattern.search(stem)), None)
