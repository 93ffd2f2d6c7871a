"""Google: e-mail sent from a Gmail mailbox."""
