"""Addresses of this floor's resources, below /api/v1/."""

from django.urls import path

from apps.accounts.api import account, api_keys, features, invitations, jobs, limits, members, usage

urlpatterns = [
    path("account", account.OwnAccountView.as_view(), name="account"),
    path("account/usage", usage.AccountUsageView.as_view(), name="account_usage"),
    path("account/costs", usage.AccountCostsView.as_view(), name="account_costs"),
    path("account/features", features.AccountFeaturesView.as_view(), name="account_features"),
    path("limits", limits.LimitsView.as_view(), name="limits"),
    path("limits/<uuid:limit_id>", limits.LimitView.as_view(), name="limit"),
    path("members", members.MembersView.as_view(), name="members"),
    path("members/<uuid:member_id>", members.MemberView.as_view(), name="member"),
    path("invitations", invitations.InvitationsView.as_view(), name="invitations"),
    path("invitations/<uuid:invitation_id>", invitations.InvitationView.as_view(), name="invitation"),
    path(
        "invitations/<uuid:invitation_id>/resend",
        invitations.InvitationResendView.as_view(),
        name="invitation_resend",
    ),
    path("api-keys", api_keys.APIKeysView.as_view(), name="api_keys"),
    path("api-keys/<uuid:key_id>", api_keys.APIKeyView.as_view(), name="api_key"),
    path("api-keys/<uuid:key_id>/rotate", api_keys.APIKeyRotateView.as_view(), name="api_key_rotate"),
    path("jobs", jobs.JobsView.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", jobs.JobView.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel", jobs.JobCancelView.as_view(), name="job_cancel"),
]
