"""When things are said: customers at any time of day, teams in working hours, some sooner than others."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta

_OPENS, _CLOSES = time(9), time(17, 30)
DAYS = 150


def beginning(now: datetime, chance: random.Random) -> datetime:
    """When a customer writes first: within the last DAYS, more often lately and on working days, seldom at night."""
    while True:
        days = min(chance.expovariate(1 / 55), chance.uniform(0, DAYS)) if chance.random() < 0.6 else _evenly(chance)
        day = now - timedelta(days=1 + days)
        if day.weekday() < 5 or chance.random() < 0.3:
            minutes = chance.triangular(7 * 60, 22 * 60, 11 * 60)
            midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight + timedelta(minutes=minutes, seconds=chance.randint(0, 59))


def answering(asked: datetime, chance: random.Random) -> datetime:
    """When the team answers: mostly within two hours of an office day."""
    moment = _in_office(asked) + timedelta(minutes=min(480.0, chance.lognormvariate(3.4, 1.0)))
    return _in_office(moment)


def returning(answered: datetime, chance: random.Random) -> datetime:
    """When the customer comes back to an answer."""
    minutes = min(3 * 24 * 60.0, chance.lognormvariate(4.2, 1.4))
    moment = answered + timedelta(minutes=minutes)
    return moment + timedelta(hours=9) if moment.hour < 6 else moment


def _evenly(chance: random.Random) -> float:
    return chance.uniform(0, DAYS)


def _in_office(moment: datetime) -> datetime:
    """``moment``, or the next one at which somebody is there."""
    while True:
        if moment.weekday() < 5 and moment.time() < _CLOSES:
            return max(moment, moment.replace(hour=_OPENS.hour, minute=moment.minute % 40, second=moment.second))
        following = moment + timedelta(days=1)
        moment = following.replace(hour=0, minute=moment.minute)
