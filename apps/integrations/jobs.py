"""Kinds of jobs of this floor; imported at start-up so that the worker knows them."""

from apps.integrations.zerodb.provisioning.configuring import configure
from apps.integrations.zerodb.provisioning.provision import provision

__all__ = ["configure", "provision"]
