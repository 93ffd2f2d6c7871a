"""The demo companies have used something."""

from __future__ import annotations

import pytest

from apps.accounts.demo.usage import add_usage
from apps.accounts.models import DailyUsage, Limit, UsageEvent
from apps.accounts.tenancy.scope import tenant
from tests.factories import Cast, make_api_key
from tests.isolation.objects import owner

pytestmark = [pytest.mark.django_db]


def test_its_sums_are_those_of_its_events_and_a_budget_is_set(cast: Cast) -> None:
    make_api_key(cast.account)
    with tenant(cast.account):
        add_usage(account=cast.account, actor=owner(cast.account))
        events, days = list(UsageEvent.objects.all()), list(DailyUsage.objects.all())
        assert len({event.at.date() for event in events}) >= 44
        assert sum(day.cost for day in days) == sum(event.cost or 0 for event in events)
        assert Limit.objects.count() == 2
