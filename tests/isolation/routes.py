"""What every address of the product promises about isolation. A route that is not here fails the tests.

To add one: write its shape (``<name>`` for what varies, without the converter) and its kind from ``kinds.py``:

    "/app/<account_slug>/notes/<note_id>/": page(
        of={"note_id": a_note},                      # how to make one: a maker in objects.py
        GET=Asks("notes.view"),                      # what a role must be allowed, per method
        POST=Asks("notes.update", {"text": "x"}),    # and a body with which the owner's request works
    ),

Every method the route answers must be listed. That is all: own, foreign, missing, anonymous and lower roles are tested
from it.
"""

from __future__ import annotations

from django.test.client import MULTIPART_CONTENT

from tests.isolation.kinds import Asks, Kind, OwnWallRoute, PersonRoute, PlatformRoute, PublicRoute, api, page
from tests.isolation.objects import (
    a_canned_response,
    a_connection_by_consent,
    a_contact,
    a_contact_called_ann,
    a_contact_import,
    a_conversation,
    a_file_to_attach,
    a_job,
    a_label,
    a_limit,
    a_list_of_contacts,
    a_membership,
    a_memory,
    a_message,
    a_question,
    a_session,
    a_started_import,
    a_token,
    an_api_key,
    an_attachment,
    an_inbox,
    an_integration,
    an_invitation,
    the_choice_of_a_reply,
)

ROUTES: dict[str, Kind] = {
    # --- signs of health
    "/health": PublicRoute("says which parts of the product answer, and nothing of accounts"),
    "/health/live": PublicRoute("says that the process lives"),
    "/health/ready": PublicRoute("says whether the process can serve"),
    "/hooks/integrations/<integration_id>/": PublicRoute(
        "believes a service's signature alone; tells nobody which connections there are (tests/integrations/webhooks)"
    ),
    # --- the operator's side (the rest of it is a tree, below)
    "/admin/break-glass/": PublicRoute("asks for password and one-use token, and shows nothing"),
    # --- people, outside of accounts
    "/": PersonRoute("leads to one's own account; programs are told the product's health, as at /health"),
    "/accounts/new/": PersonRoute("makes an account of one's own"),
    "/accounts/profile/": PersonRoute("one's own name and look"),
    "/accounts/theme/": PersonRoute("one's own look", method="POST"),
    "/accounts/sessions/<session_id>/end/": PersonRoute(
        "one's own sessions", of={"session_id": a_session}, method="POST"
    ),
    "/integrations/oauth/callback/": PersonRoute("counts only for the person and session that began"),
    "/accounts/invitations/<token>/": PublicRoute("whoever holds the link's secret was invited"),
    # --- pages of an account
    "/app/<account_slug>/": page(GET=Asks("account.view")),
    "/app/<account_slug>/members/": page(GET=Asks("members.view")),
    "/app/<account_slug>/members/invite/": page(
        POST=Asks("members.invite", {"emails": "new@people.example", "role": "member"})
    ),
    "/app/<account_slug>/members/<membership_id>/role/": page(
        of={"membership_id": a_membership}, POST=Asks("members.change_role", {"role": "member"})
    ),
    "/app/<account_slug>/members/<membership_id>/remove/": page(
        of={"membership_id": a_membership}, GET=Asks("members.remove"), POST=Asks("members.remove")
    ),
    "/app/<account_slug>/members/invitations/<invitation_id>/resend/": page(
        of={"invitation_id": an_invitation}, POST=Asks("members.invite")
    ),
    "/app/<account_slug>/members/invitations/<invitation_id>/withdraw/": page(
        of={"invitation_id": an_invitation}, POST=Asks("members.invite")
    ),
    "/app/<account_slug>/settings/": page(
        GET=Asks("account.view"),
        POST=Asks(
            "account.update", lambda account: {"name": "Other name", "slug": account.slug, "default_region": "DE"}
        ),
    ),
    "/app/<account_slug>/usage/": page(GET=Asks("usage.view")),
    "/app/<account_slug>/usage/report/": page(GET=Asks("usage.view")),
    "/app/<account_slug>/usage/estimate/": page(GET=Asks("usage.view")),
    "/app/<account_slug>/usage/limits/new/": page(
        GET=Asks("limits.manage"),
        POST=Asks(
            "limits.manage",
            {"target": "account", "measure": "cost", "amount": "20", "period": "month", "reached": "stop"},
        ),
    ),
    "/app/<account_slug>/usage/limits/<limit_id>/": page(
        of={"limit_id": a_limit}, GET=Asks("limits.manage"), POST=Asks("limits.manage", {"amount": "20"})
    ),
    "/app/<account_slug>/usage/limits/<limit_id>/remove/": page(
        of={"limit_id": a_limit}, GET=Asks("limits.manage"), POST=Asks("limits.manage")
    ),
    "/app/<account_slug>/security/": page(GET=Asks("account.view")),
    "/app/<account_slug>/integrations/": page(GET=Asks("integrations.view")),
    "/app/<account_slug>/integrations/connect/": page(
        GET=Asks("integrations.manage", query="?provider=stripe"),
        POST=Asks(
            "integrations.manage",
            {"credentials.secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "how": "save"},
            query="?provider=stripe",
        ),
    ),
    "/app/<account_slug>/integrations/<integration_id>/": page(
        of={"integration_id": an_integration}, GET=Asks("integrations.view")
    ),
    "/app/<account_slug>/integrations/<integration_id>/usage.csv": page(
        of={"integration_id": an_integration}, GET=Asks("integrations.view")
    ),
    "/app/<account_slug>/integrations/<integration_id>/configure/": page(
        of={"integration_id": an_integration},
        GET=Asks("integrations.manage"),
        POST=Asks(
            "integrations.manage",
            {"credentials.secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "how": "save"},
        ),
    ),
    "/app/<account_slug>/integrations/<integration_id>/test/": page(
        of={"integration_id": an_integration}, POST=Asks("integrations.manage")
    ),
    "/app/<account_slug>/integrations/<integration_id>/switch/": page(
        of={"integration_id": an_integration}, POST=Asks("integrations.manage", {"on": "0"})
    ),
    "/app/<account_slug>/integrations/<integration_id>/rotate/": page(
        of={"integration_id": an_integration},
        GET=Asks("integrations.manage"),
        POST=Asks("integrations.manage", answers=(422,)),
    ),
    "/app/<account_slug>/integrations/<integration_id>/connect/": page(
        of={"integration_id": a_connection_by_consent}, GET=Asks("integrations.manage")
    ),
    "/app/<account_slug>/integrations/<integration_id>/connected/": page(
        of={"integration_id": a_connection_by_consent}, GET=Asks("integrations.manage")
    ),
    "/app/<account_slug>/integrations/<integration_id>/disconnect/": page(
        of={"integration_id": a_connection_by_consent},
        GET=Asks("integrations.manage"),
        POST=Asks("integrations.manage"),
    ),
    "/app/<account_slug>/integrations/<integration_id>/remove/": page(
        of={"integration_id": an_integration}, GET=Asks("integrations.manage"), POST=Asks("integrations.manage")
    ),
    "/app/<account_slug>/api/": page(GET=Asks("api_keys.view_own")),
    "/app/<account_slug>/api/new/": page(
        GET=Asks("api_keys.create"), POST=Asks("api_keys.create", {"name": "New", "role": "viewer"})
    ),
    "/app/<account_slug>/api/<key_id>/": page(
        of={"key_id": an_api_key},
        GET=Asks("api_keys.manage"),
        POST=Asks("api_keys.manage", {"name": "Other", "role": "viewer"}),
    ),
    "/app/<account_slug>/api/<key_id>/toggle/": page(of={"key_id": an_api_key}, POST=Asks("api_keys.manage")),
    "/app/<account_slug>/api/<key_id>/rotate/": page(
        of={"key_id": an_api_key}, GET=Asks("api_keys.manage"), POST=Asks("api_keys.manage")
    ),
    "/app/<account_slug>/api/<key_id>/delete/": page(
        of={"key_id": an_api_key}, GET=Asks("api_keys.manage"), POST=Asks("api_keys.manage")
    ),
    "/app/<account_slug>/contacts/": page(GET=Asks("contacts.view")),
    "/app/<account_slug>/contacts/new/": page(
        GET=Asks("contacts.create"), POST=Asks("contacts.create", {"name": "Ann", "contact_type": "lead"})
    ),
    "/app/<account_slug>/contacts/<contact_id>/": page(of={"contact_id": a_contact}, GET=Asks("contacts.view")),
    "/app/<account_slug>/contacts/<contact_id>/edit/": page(
        of={"contact_id": a_contact},
        GET=Asks("contacts.update"),
        POST=Asks("contacts.update", {"name": "Other", "contact_type": "lead"}),
    ),
    "/app/<account_slug>/contacts/<contact_id>/export/": page(of={"contact_id": a_contact}, GET=Asks("contacts.view")),
    "/app/<account_slug>/contacts/<contact_id>/memories/": page(
        of={"contact_id": a_contact},
        GET=Asks("memories.view"),
        POST=Asks("memories.manage", {"content": "Prefers e-mail."}, answers=(302, 409)),
    ),
    "/app/<account_slug>/contacts/<contact_id>/memories/forget/": page(
        of={"contact_id": a_contact}, GET=Asks("memories.manage"), POST=Asks("memories.manage")
    ),
    "/app/<account_slug>/memories/<memory_id>/edit/": page(
        of={"memory_id": a_memory},
        GET=Asks("memories.manage"),
        POST=Asks("memories.manage", {"content": "Prefers e-mail.", "importance": "4"}, answers=(302, 409)),
    ),
    "/app/<account_slug>/contacts/<contact_id>/delete/": page(
        of={"contact_id": a_contact_called_ann},
        GET=Asks("contacts.delete"),
        POST=Asks("contacts.delete", {"name": "Ann"}),
    ),
    "/app/<account_slug>/contacts/import/": page(
        GET=Asks("contacts.import"), POST=Asks("contacts.import", answers=(422,))
    ),
    "/app/<account_slug>/contacts/import/<import_id>/": page(
        of={"import_id": a_contact_import},
        GET=Asks("contacts.import"),
        POST=Asks("contacts.import", {"duplicates": "merge", "default_region": "GB"}),
    ),
    "/app/<account_slug>/contacts/import/<import_id>/reading/": page(
        of={"import_id": a_contact_import}, POST=Asks("contacts.import", answers=(422,))
    ),
    "/app/<account_slug>/contacts/import/<import_id>/cancel/": page(
        of={"import_id": a_contact_import}, POST=Asks("contacts.import")
    ),
    "/app/<account_slug>/contacts/import/<import_id>/rejected/": page(
        of={"import_id": a_contact_import}, GET=Asks("contacts.import")
    ),
    "/app/<account_slug>/ai/": page(
        GET=Asks("project.view"),
        POST=Asks("project.update", {"embeddings_model": "sentence-transformers/all-MiniLM-L6-v2"}),
    ),
    "/app/<account_slug>/ai/features/": page(POST=Asks("features.manage", {"feature": "agent_memory"})),
    "/app/<account_slug>/ai/provision/": page(POST=Asks("project.provision")),
    "/app/<account_slug>/ai/use.csv": page(GET=Asks("project.view")),
    "/app/<account_slug>/ai/index/": page(GET=Asks("project.view")),
    "/app/<account_slug>/ai/index/rebuild/": page(GET=Asks("project.update"), POST=Asks("project.update")),
    "/app/<account_slug>/ai/index/go-on/": page(POST=Asks("project.update")),
    "/app/<account_slug>/ai/words/": page(
        GET=Asks("account.view"), POST=Asks("account.update", {"enabled": "on", "language": "german"})
    ),
    "/app/<account_slug>/ai/words/again/": page(POST=Asks("account.update")),
    "/app/<account_slug>/audit/": page(GET=Asks("audit.view")),
    "/app/<account_slug>/audit/report/": page(GET=Asks("audit.view", query="?format=json")),
    "/app/<account_slug>/audit/proof/": page(
        GET=Asks("audit.view", answers=(200, 286)), POST=Asks("audit.view", answers=(302,))
    ),
    "/app/<account_slug>/inbox/": page(GET=Asks("conversations.view")),
    "/app/<account_slug>/inbox/search/": page(GET=Asks("conversations.view")),
    "/app/<account_slug>/inbox/new/": page(
        GET=Asks("conversations.create"), POST=Asks("conversations.create", {"contact": "nobody"}, answers=(422,))
    ),
    "/app/<account_slug>/inbox/canned/": page(GET=Asks("canned_responses.view")),
    "/app/<account_slug>/inbox/canned/new/": page(
        GET=Asks("canned_responses.manage"),
        POST=Asks("canned_responses.manage", {"short_code": "hours", "content": "From nine to five."}),
    ),
    "/app/<account_slug>/inbox/canned/<kept_id>/": page(
        of={"kept_id": a_canned_response},
        GET=Asks("canned_responses.manage"),
        POST=Asks("canned_responses.manage", {"short_code": "hours", "content": "From nine to five."}),
    ),
    "/app/<account_slug>/inbox/canned/<kept_id>/delete/": page(
        of={"kept_id": a_canned_response}, GET=Asks("canned_responses.manage"), POST=Asks("canned_responses.manage")
    ),
    "/app/<account_slug>/inbox/labels/": page(GET=Asks("labels.view")),
    "/app/<account_slug>/inbox/labels/new/": page(
        GET=Asks("labels.manage"), POST=Asks("labels.manage", {"name": "topic", "colour": "grey"})
    ),
    "/app/<account_slug>/inbox/labels/<kept_id>/": page(
        of={"kept_id": a_label},
        GET=Asks("labels.manage"),
        POST=Asks("labels.manage", {"name": "topic", "colour": "grey"}),
    ),
    "/app/<account_slug>/inbox/labels/<kept_id>/delete/": page(
        of={"kept_id": a_label}, GET=Asks("labels.manage"), POST=Asks("labels.manage")
    ),
    "/app/<account_slug>/inbox/inboxes/": page(GET=Asks("inboxes.view")),
    "/app/<account_slug>/inbox/inboxes/new/": page(
        GET=Asks("inboxes.manage"), POST=Asks("inboxes.manage", {"name": "Other", "channel": "api"})
    ),
    "/app/<account_slug>/inbox/inboxes/<kept_id>/": page(
        of={"kept_id": an_inbox},
        GET=Asks("inboxes.manage"),
        POST=Asks("inboxes.manage", {"name": "Other", "channel": "api"}),
    ),
    "/app/<account_slug>/inbox/inboxes/<kept_id>/delete/": page(
        of={"kept_id": an_inbox}, GET=Asks("inboxes.manage"), POST=Asks("inboxes.manage")
    ),
    "/app/<account_slug>/inbox/canned/pick/": page(GET=Asks("canned_responses.view")),
    "/app/<account_slug>/inbox/<conversation_id>/": page(
        of={"conversation_id": a_conversation}, GET=Asks("conversations.view")
    ),
    "/app/<account_slug>/inbox/<conversation_id>/memories/": page(
        of={"conversation_id": a_conversation},
        GET=Asks("memories.manage"),
        POST=Asks("memories.manage", {"content": "Prefers e-mail"}, answers=(200, 409)),
    ),
    "/app/<account_slug>/inbox/<conversation_id>/memories/propose/": page(
        of={"conversation_id": a_conversation}, POST=Asks("memories.manage", answers=(200, 409))
    ),
    "/app/<account_slug>/inbox/<conversation_id>/memories/recalled/": page(
        of={"conversation_id": a_conversation}, GET=Asks("memories.view")
    ),
    "/app/<account_slug>/inbox/<conversation_id>/similar/": page(
        of={"conversation_id": a_conversation}, GET=Asks("conversations.view")
    ),
    "/app/<account_slug>/inbox/<conversation_id>/suggestions/": page(
        of={"conversation_id": a_question},
        GET=Asks("suggestions.choose"),
        POST=Asks("suggestions.choose", the_choice_of_a_reply, answers=(204, 409)),
    ),
    "/app/<account_slug>/memories/<memory_id>/": page(
        of={"memory_id": a_memory}, POST=Asks("memories.manage", {"what": "forget"})
    ),
    "/app/<account_slug>/inbox/<conversation_id>/lines/": page(
        of={"conversation_id": a_conversation}, GET=Asks("conversations.view")
    ),
    "/app/<account_slug>/inbox/<conversation_id>/files/<attachment_id>/": page(
        of={"conversation_id": a_conversation, "attachment_id": an_attachment}, GET=Asks("conversations.view")
    ),
    "/app/<account_slug>/inbox/<conversation_id>/say/": page(
        of={"conversation_id": a_conversation}, POST=Asks("conversations.reply", {"content": "Good morning"})
    ),
    "/app/<account_slug>/inbox/<conversation_id>/status/": page(
        of={"conversation_id": a_conversation}, POST=Asks("conversations.update", {"status": "pending"})
    ),
    "/app/<account_slug>/inbox/<conversation_id>/snooze/": page(
        of={"conversation_id": a_conversation},
        GET=Asks("conversations.update"),
        POST=Asks("conversations.update", {"choice": "tomorrow"}),
    ),
    "/app/<account_slug>/inbox/<conversation_id>/assign/": page(
        of={"conversation_id": a_conversation},
        GET=Asks("conversations.update"),
        POST=Asks("conversations.update", {"member": "nobody"}),
    ),
    "/app/<account_slug>/inbox/<conversation_id>/labels/": page(
        of={"conversation_id": a_conversation}, GET=Asks("conversations.update"), POST=Asks("conversations.update")
    ),
    "/app/<account_slug>/inbox/<conversation_id>/delete/": page(
        of={"conversation_id": a_conversation}, GET=Asks("conversations.delete"), POST=Asks("conversations.delete")
    ),
    # --- API of an account
    "/api/v1/account": api(GET=Asks("account.view"), PATCH=Asks("account.update", {"name": "Other name"})),
    "/api/v1/account/usage": api(GET=Asks("usage.view")),
    "/api/v1/account/costs": api(GET=Asks("usage.view")),
    "/api/v1/account/features": api(
        GET=Asks("features.view"),
        PATCH=Asks("features.manage", {"features": [{"name": "agent_memory", "enabled": False}]}),
    ),
    "/api/v1/limits": api(GET=Asks("limits.view"), POST=Asks("limits.manage", {"amount": "5"})),
    "/api/v1/limits/<limit_id>": api(
        of={"limit_id": a_limit},
        GET=Asks("limits.view"),
        PATCH=Asks("limits.manage", {"amount": "7"}),
        DELETE=Asks("limits.manage"),
    ),
    "/api/v1/members": api(GET=Asks("members.view")),
    "/api/v1/members/<member_id>": api(
        of={"member_id": a_membership},
        GET=Asks("members.view"),
        PATCH=Asks("members.change_role", {"role": "member"}),
        DELETE=Asks("members.remove"),
    ),
    "/api/v1/invitations": api(
        GET=Asks("members.invite"), POST=Asks("members.invite", {"email": "new@people.example", "role": "member"})
    ),
    "/api/v1/invitations/<invitation_id>": api(
        of={"invitation_id": an_invitation}, GET=Asks("members.invite"), DELETE=Asks("members.invite")
    ),
    "/api/v1/invitations/<invitation_id>/resend": api(of={"invitation_id": an_invitation}, POST=Asks("members.invite")),
    "/api/v1/api-keys": api(
        GET=Asks("api_keys.view_own"), POST=Asks("api_keys.create", {"name": "New", "role": "viewer"})
    ),
    "/api/v1/api-keys/<key_id>": api(
        of={"key_id": an_api_key},
        GET=Asks("api_keys.view"),
        PATCH=Asks("api_keys.manage", {"name": "Other"}),
        DELETE=Asks("api_keys.manage"),
    ),
    "/api/v1/api-keys/<key_id>/rotate": api(of={"key_id": an_api_key}, POST=Asks("api_keys.manage")),
    "/api/v1/jobs": api(GET=Asks("jobs.view")),
    "/api/v1/jobs/<job_id>": api(of={"job_id": a_job}, GET=Asks("jobs.view")),
    "/api/v1/jobs/<job_id>/cancel": api(of={"job_id": a_job}, POST=Asks("jobs.cancel")),
    "/api/v1/contacts": api(
        GET=Asks("contacts.view"), POST=Asks("contacts.create", {"name": "Ann", "email": "ann@people.example"})
    ),
    "/api/v1/contacts/<contact_id>": api(
        of={"contact_id": a_contact},
        GET=Asks("contacts.view"),
        PUT=Asks("contacts.update", {"name": "Other"}),
        PATCH=Asks("contacts.update", {"name": "Other"}),
        DELETE=Asks("contacts.delete"),
    ),
    "/api/v1/tokens": api(GET=Asks("tokens.view")),
    "/api/v1/tokens/<kind>": api(of={"kind": a_token}, GET=Asks("tokens.view"), DELETE=Asks("tokens.manage")),
    "/api/v1/audit": api(GET=Asks("audit.view")),
    "/api/v1/audit/proof": api(GET=Asks("audit.view"), POST=Asks("audit.view")),
    "/api/v1/audit/report": api(GET=Asks("audit.view")),
    "/api/v1/project": api(GET=Asks("project.view")),
    "/api/v1/project/provision": api(POST=Asks("project.provision")),
    "/api/v1/project/settings": api(PATCH=Asks("project.update", {"auto_indexing": False})),
    "/api/v1/integrations": api(
        GET=Asks("integrations.view"),
        POST=Asks(
            "integrations.manage",
            {
                "category": "payment",
                "provider": "stripe",
                "credentials": {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"},
            },
        ),
    ),
    "/api/v1/integrations/available": api(GET=Asks("integrations.view")),
    "/api/v1/integrations/<integration_id>": api(
        of={"integration_id": an_integration},
        GET=Asks("integrations.view"),
        PATCH=Asks("integrations.manage", {"enabled": False}),
        DELETE=Asks("integrations.manage"),
    ),
    "/api/v1/integrations/<integration_id>/health": api(
        of={"integration_id": an_integration}, GET=Asks("integrations.view")
    ),
    "/api/v1/integrations/<integration_id>/usage": api(
        of={"integration_id": an_integration}, GET=Asks("integrations.view")
    ),
    "/api/v1/integrations/<integration_id>/test": api(
        of={"integration_id": an_integration}, POST=Asks("integrations.manage")
    ),
    "/api/v1/integrations/<integration_id>/rotate": api(
        of={"integration_id": an_integration}, POST=Asks("integrations.manage", {"credentials": {}}, answers=(400,))
    ),
    "/api/v1/integrations/<integration_id>/connect": api(
        of={"integration_id": a_connection_by_consent},
        GET=Asks("integrations.manage"),
        DELETE=Asks("integrations.manage"),
    ),
    "/api/v1/integrations/<integration_id>/toggle": api(
        of={"integration_id": an_integration}, POST=Asks("integrations.manage")
    ),
    "/api/v1/schema": PublicRoute("describes the API, and nothing of accounts"),
    "/api/v1/docs/": PublicRoute("shows the description as a page"),
    "/api/v1/docs": PublicRoute("sends to the page with the slash"),
    "/api/v1/conversations/<conversation_id>/messages/<message_id>/attachments": api(
        of={"conversation_id": a_conversation, "message_id": a_message},
        POST=Asks("conversations.reply", a_file_to_attach, content_type=MULTIPART_CONTENT),
    ),
    "/api/v1/conversations/<conversation_id>/attachments/<attachment_id>": api(
        of={"conversation_id": a_conversation, "attachment_id": an_attachment}, GET=Asks("conversations.view")
    ),
    "/api/v1/inboxes": api(GET=Asks("inboxes.view"), POST=Asks("inboxes.manage", {"name": "Shop"})),
    "/api/v1/inboxes/<inbox_id>": api(
        of={"inbox_id": an_inbox},
        GET=Asks("inboxes.view"),
        PATCH=Asks("inboxes.manage", {"name": "Other"}),
        DELETE=Asks("inboxes.manage"),
    ),
    "/api/v1/labels": api(GET=Asks("labels.view"), POST=Asks("labels.manage", {"name": "billing"})),
    "/api/v1/labels/<label_id>": api(
        of={"label_id": a_label},
        GET=Asks("labels.view"),
        PATCH=Asks("labels.manage", {"name": "other"}),
        DELETE=Asks("labels.manage"),
    ),
    "/api/v1/canned-responses": api(
        GET=Asks("canned_responses.view"),
        POST=Asks("canned_responses.manage", {"short_code": "hello", "content": "Hello!"}),
    ),
    "/api/v1/canned-responses/<canned_id>": api(
        of={"canned_id": a_canned_response},
        GET=Asks("canned_responses.view"),
        PATCH=Asks("canned_responses.manage", {"content": "Hi!"}),
        DELETE=Asks("canned_responses.manage"),
    ),
    "/api/v1/conversations": api(
        GET=Asks("conversations.view"), POST=Asks("conversations.create", {"subject": "A parcel"}, answers=(400,))
    ),
    "/api/v1/conversations/<conversation_id>/memories": api(
        of={"conversation_id": a_conversation}, POST=Asks("memories.manage", answers=(202, 409))
    ),
    "/api/v1/contacts/<contact_id>/export": api(of={"contact_id": a_contact}, GET=Asks("contacts.view")),
    "/api/v1/conversations/<conversation_id>/similar": api(
        of={"conversation_id": a_conversation}, GET=Asks("conversations.view", answers=(200, 409))
    ),
    "/api/v1/conversations/<conversation_id>/suggestions": api(
        of={"conversation_id": a_question},
        GET=Asks("suggestions.view", answers=(200, 409)),
        POST=Asks("suggestions.choose", the_choice_of_a_reply, answers=(200, 409)),
    ),
    "/api/v1/contacts/<contact_id>/memories": api(
        of={"contact_id": a_contact},
        GET=Asks("memories.view"),
        POST=Asks("memories.manage", {"content": "Prefers e-mail"}, answers=(201, 409)),
        DELETE=Asks("memories.manage"),
    ),
    "/api/v1/memories/<memory_id>": api(
        of={"memory_id": a_memory},
        GET=Asks("memories.view"),
        PATCH=Asks("memories.manage", {"content": "Prefers letters"}, answers=(200, 409)),
        DELETE=Asks("memories.manage"),
    ),
    "/api/v1/conversations/index": api(GET=Asks("project.view")),
    "/api/v1/conversations/index/rebuild": api(POST=Asks("project.update", {})),
    "/api/v1/conversations/word-search": api(
        GET=Asks("account.view"), PATCH=Asks("account.update", {"language": "german"})
    ),
    "/api/v1/conversations/search": api(
        POST=Asks("conversations.view", {"query": "parcel", "mode": "words"}, answers=(200, 503))
    ),
    "/api/v1/conversations/<conversation_id>": api(
        of={"conversation_id": a_conversation},
        GET=Asks("conversations.view"),
        PATCH=Asks("conversations.update", {"status": "resolved"}),
        DELETE=Asks("conversations.delete"),
    ),
    "/api/v1/conversations/<conversation_id>/messages": api(
        of={"conversation_id": a_conversation},
        GET=Asks("conversations.view"),
        POST=Asks("conversations.reply", {"content": "On its way."}),
    ),
    "/api/v1/contacts/import": api(POST=Asks("contacts.import", a_list_of_contacts, content_type=MULTIPART_CONTENT)),
    "/api/v1/contacts/import/<import_id>": api(of={"import_id": a_started_import}, GET=Asks("contacts.import")),
    "/api/v1/contacts/import/<import_id>/rejected": api(
        of={"import_id": a_started_import}, GET=Asks("contacts.import")
    ),
    "/api/v1/": PublicRoute("no such address below /api/v1/: 401 for strangers, the ordinary 404 for everybody else"),
    # --- development
    "/dev/mail/": PublicRoute("only local settings give it an address: it shows the mails of this machine"),
    "/dev/mail/<mail_id>/": PublicRoute("only local settings give it an address: it shows the mails of this machine"),
}

# Whole trees of somebody else's views: (beginning of the address, beginning of the view's module) → kind.
TREES: dict[tuple[str, str], Kind] = {
    ("/accounts/", "allauth."): PublicRoute("allauth: shows the signed-in person their own data and nobody else's"),
    ("/zerodb", "apps.integrations.zerodb.server"): OwnWallRoute(
        "owned by callers and projects of the embedded ZeroDB server",
        proven_by="tests/contract/zerodb/test_isolation.py",
    ),
    ("/admin/", ""): PlatformRoute("the operator's side"),
}
