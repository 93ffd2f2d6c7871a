"""Microsoft: e-mail sent from an Outlook mailbox."""
