"""Calls to come: scheduled by mutations and actions, or as crons; run once, whatever hub does it.

``tables`` is what is kept, ``calls`` what functions schedule with, ``agenda`` what is due, ``steps`` the transactions that
move a call on, and ``runner`` the part of a hub that takes them.
"""

from synovia.scheduler.policy import Retry
from synovia.scheduler.tables import CronJob, ScheduledCall

__all__ = ["CronJob", "Retry", "ScheduledCall"]
