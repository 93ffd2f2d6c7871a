"""The super admin's screens of this floor. Importing this package (Django's admin does) registers them."""

from apps.accounts.admin.account_panels import AccountPanel, add_account_panel
from apps.accounts.admin.dashboard import add_part
from apps.accounts.admin.navigation import Entry, add_entries
from apps.integrations.admin import ai_use, connections, connections_overview, opened_addresses, overview, projects

__all__ = ["ai_use", "connections", "connections_overview", "opened_addresses", "overview", "projects"]

add_entries(
    Entry("Tenants", "Provisioning", "integrations_ainativeproject_changelist", "cloud_sync"),
    Entry("Tenants", "Integrations", "integrations_integration_changelist", "power"),
    Entry("Operation", "Opened addresses", "integrations_openedaddress_changelist", "lan"),
)
add_account_panel(AccountPanel("admin/integrations/ainative_panel.html", projects.panel))
add_part(overview.PART)
add_part(connections_overview.PART)
add_part(ai_use.PART)
