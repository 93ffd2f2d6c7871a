"""The super admin's screens of this floor. Importing this package (Django's admin does) registers them."""

from apps.accounts.admin import accounts, costs, features, jobs, metering, overview, people_in_accounts, users
from apps.accounts.admin.dashboard import add_part
from apps.accounts.admin.navigation import Entry, add_entries

__all__ = ["accounts", "costs", "features", "jobs", "metering", "overview", "people_in_accounts", "users"]

add_entries(
    Entry("Tenants", "Accounts", "accounts_account_changelist", "domain"),
    Entry("Tenants", "Users", "accounts_user_changelist", "group"),
    Entry("Tenants", "Memberships", "accounts_membership_changelist", "badge"),
    Entry("Tenants", "Invitations", "accounts_invitation_changelist", "mail"),
    Entry("Tenants", "API keys", "accounts_apikey_changelist", "key"),
    Entry("Tenants", "Limits", "accounts_limit_changelist", "speed"),
    Entry("Tenants", "Usage", "accounts_dailyusage_changelist", "monitoring"),
    Entry("Tenants", "Features", "accounts_featurestage_changelist", "flag"),
    Entry("Tenants", "Choices of features", "accounts_featurechoice_changelist", "toggle_on"),
    Entry("Operation", "Costs", "costs", "payments"),
    Entry("Operation", "Prices", "accounts_price_changelist", "sell"),
    Entry("Operation", "Jobs and queues", "accounts_job_changelist", "layers"),
)
add_part(overview.PART)
add_part(costs.PART)
