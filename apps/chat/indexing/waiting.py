"""What keeps work at the AI project from going on, as jobs say it: wait, or give up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.accounts.jobs import PermanentFailure, Retry
from apps.accounts.metering import LimitReached, PriceUnknown
from apps.chat.indexing.vectors import NoProject
from apps.integrations.outbound.errors import OutboundError
from apps.integrations.zerodb.client import NotFound

_WAIT_FOR_PROJECT = 10.0
_WAIT_FOR_LIMIT = 3600.0


@contextmanager
def told_to_the_job() -> Iterator[None]:
    """Around the work of a job. Raises Retry, and PermanentFailure where waiting does not help, in words for people."""
    try:
        yield
    except NoProject as error:
        raise Retry(str(error), after=_WAIT_FOR_PROJECT) from error
    except (LimitReached, PriceUnknown) as error:
        raise Retry(str(error), after=_WAIT_FOR_LIMIT) from error
    except NotFound as error:
        raise PermanentFailure("The project is gone from the AI service.") from error
    except OutboundError as error:
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise Retry(str(error), at_least=error.retry_after) from error
