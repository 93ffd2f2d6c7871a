"""What a provider of a category can be asked for: one file per category, with its values and its protocol.

A job named ``crm.find_contact`` is a method ``find_contact`` of the provider's ``Client``. ``services/`` holds the
verbs that everybody else calls; they find the connection, call the client, and keep account of it.
"""
