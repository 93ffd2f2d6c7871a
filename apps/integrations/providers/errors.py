"""What a service can answer instead of doing its job, told by what to do about it."""

from __future__ import annotations

from apps.integrations.outbound.errors import OutboundError


class ProviderError(OutboundError):
    """The service answered, and did not do it. ``str(error)`` is what it said about that, or ``words``."""

    again = "never"
    code = "provider_error"
    words = "{who} answered with an error."
    todo = "Try again later."


class CredentialRefused(ProviderError):
    """The service does not know the credential: wrong, expired or revoked."""

    permanent = True
    code = "credential_refused"
    words = "{who} does not accept the credential."
    todo = "Enter a new credential."


class NotPermitted(ProviderError):
    """The service knows the credential, and it may not do this."""

    permanent = True
    code = "not_permitted"
    words = "{who} does not let this credential do that."
    todo = "Give the credential the missing permission at the service."


class RateLimited(ProviderError):
    """Too many calls for now; ``retry_after`` says how long, when the service did."""

    again = "always"
    code = "rate_limited"
    words = "{who} takes no more calls for now."
    todo = "Wait; the next call works again."


class QuotaUsedUp(ProviderError):
    """What was paid for is used up: waiting does not help."""

    permanent = True
    code = "quota_used_up"
    words = "What was paid for at {who} is used up."
    todo = "Raise the limit or settle the bill at the service."


class Refused(ProviderError):
    """The service understood and will not: something in the request is wrong."""

    permanent = True
    code = "refused"
    words = "{who} refused the request."
    todo = "Correct what the service names."


class Missing(Refused):
    """What the request names is not there."""

    code = "missing"
    words = "{who} has nothing by that name."


class Redirected(ProviderError):
    """The service sends callers elsewhere; calls don't follow, since they carry a credential."""

    permanent = True
    code = "redirected"
    words = "{who} sends callers on to another address, and calls don’t follow."
    todo = "Enter the address that it lives at now, with https://."


class Unavailable(ProviderError):
    """The service is in trouble itself."""

    again = "if repeatable"
    maybe_done = True
    code = "unavailable"
    words = "{who} has trouble of its own just now."
    todo = "Nothing: it is tried again."


class Overloaded(Unavailable):
    """The service has too much to do and has not begun: asking again does no harm."""

    again = "always"
    maybe_done = False
    code = "overloaded"
    words = "{who} has too much to do just now."


class NotSignedIn(ProviderError):
    """Nobody has given the connection a grant yet."""

    permanent = True
    code = "not_connected"
    words = "{who} is not connected."
    todo = "Connect it: the service asks for your consent."


class SignInAgain(ProviderError):
    """The service takes the connection's grant no more."""

    permanent = True
    code = "reauth_required"
    todo = "Connect it again: the service asks for your consent anew."


class NotRenewed(ProviderError):
    """The grant could not be renewed just now; ``retry_after`` says when it is tried again."""

    code = "backoff"
    todo = "Nothing: it is tried again."
