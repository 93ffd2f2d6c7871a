"""Addresses of this floor's pages. ``tenant`` goes below /app/<slug>/ in the namespace ``app``."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.accounts.pages import api_keys, dashboard, invitation, limits, members, people, security, settings, usage

tenant: list[URLPattern] = [
    path("", dashboard.dashboard, name="dashboard"),
    path("members/", members.members, name="members"),
    path("members/invite/", members.invite, name="members_invite"),
    path("members/<uuid:membership_id>/role/", members.change_role, name="members_role"),
    path("members/<uuid:membership_id>/remove/", members.remove, name="members_remove"),
    path("members/invitations/<uuid:invitation_id>/resend/", members.resend, name="members_resend"),
    path("members/invitations/<uuid:invitation_id>/withdraw/", members.withdraw, name="members_withdraw"),
    path("settings/", settings.settings, name="settings"),
    path("usage/", usage.usage_page, name="usage"),
    path("usage/report/", usage.report, name="usage_report"),
    path("usage/estimate/", usage.estimate_report, name="usage_estimate"),
    path("usage/limits/new/", limits.create, name="usage_limit_new"),
    path("usage/limits/<uuid:limit_id>/", limits.change, name="usage_limit"),
    path("usage/limits/<uuid:limit_id>/remove/", limits.remove, name="usage_limit_remove"),
    path("security/", security.security, name="security"),
    path("api/", api_keys.api_keys, name="api_keys"),
    path("api/new/", api_keys.create, name="api_keys_new"),
    path("api/<uuid:key_id>/", api_keys.change, name="api_keys_change"),
    path("api/<uuid:key_id>/toggle/", api_keys.toggle, name="api_keys_toggle"),
    path("api/<uuid:key_id>/rotate/", api_keys.rotate, name="api_keys_rotate"),
    path("api/<uuid:key_id>/delete/", api_keys.delete, name="api_keys_delete"),
]

# Below /accounts/, before allauth's own.
people_urls: list[URLPattern] = [
    path("new/", people.new_account, name="account_new"),
    path("profile/", people.profile, name="account_profile"),
    path("theme/", people.theme, name="theme"),
    path("sessions/<int:session_id>/end/", people.end, name="session_end"),
    path("invitations/<str:token>/", invitation.accept, name="accept_invitation"),
]
