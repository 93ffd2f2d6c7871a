"""Every mail this floor sends, one function each (allauth's own mails have their templates)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from smtplib import SMTPException, SMTPNotSupportedError, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.models import Account, Invitation, LimitAlert

logger = logging.getLogger(__name__)


class MailServerAway(RuntimeError):
    """The mail may be sent later; ``str(error)`` says why not now, without addresses."""


class MailRefused(RuntimeError):
    """The mail server takes no mail for this address; ``str(error)`` says what to do."""


@contextmanager
def mail_server() -> Iterator[None]:
    """While a mail is handed over: raises MailServerAway, MailRefused; the log has the server's own words."""
    try:
        yield
    except SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        logger.warning("The mail server refused a recipient with %s.", codes)
        if all(code >= 500 for code in codes):  # RFC 5321 section 4.2.1: 4yz may be tried again
            raise MailRefused("The mail server takes no mail for this address. Check how it is written.") from error
        raise MailServerAway("The mail server does not take mail for this address at the moment.") from error
    except (SMTPNotSupportedError, UnicodeError) as error:
        logger.warning("A mail could not be sent: %s.", type(error).__name__)
        raise MailRefused("The mail server can't send to an address with these letters.") from error
    except SMTPException as error:
        logger.warning("The mail server refused a mail: %s.", error)
        raise MailServerAway("The mail server does not take our mail at the moment.") from error
    except OSError as error:
        logger.warning("The mail server can't be reached: %s.", error)
        raise MailServerAway("The mail server can't be reached at the moment.") from error


def send_invitation(account: Account, invitation: Invitation, token: str, invited_by: str) -> None:
    """The link with which ``invitation`` is accepted. ``invited_by`` names a program or command that invites.

    Raises MailServerAway, MailRefused.
    """
    inviter = invitation.invited_by
    who = inviter.display_name if inviter else invited_by or account.name
    context = {
        "account": account,
        "invitation": invitation,
        "invited_by": who,
        "link": settings.BASE_URL + reverse("accept_invitation", args=[token]),
    }
    message = EmailMultiAlternatives(
        # A line break in a name would be a second header.
        subject=" ".join(f"{who} invites you to {account.name} on Strongroom".split()),
        body=render_to_string("accounts/email/invitation.txt", context),
        to=[invitation.email],
    )
    with mail_server():
        message.send()


def send_limit_alert(alert: LimitAlert, what: str, address: str, link: str) -> None:
    """One owner or admin is told that a limit comes near. Raises MailServerAway, MailRefused."""
    context = {"alert": alert, "what": what, "link": link}
    message = EmailMultiAlternatives(
        subject=" ".join(f"{alert.percent} % used: {what} of {alert.account.name}".split()),
        body=render_to_string("accounts/email/limit_alert.txt", context),
        to=[address],
    )
    with mail_server():
        message.send()
