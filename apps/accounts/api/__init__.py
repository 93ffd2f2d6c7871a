"""The API's frame (authentication, errors, pages of lists, preconditions) and this floor's resources.

Every view is an ``AccountView``: it names the action of each method in ``actions`` and runs in the account's
scope, which the tenancy middleware opened. Other floors build their ``api/`` from the same parts.
"""
