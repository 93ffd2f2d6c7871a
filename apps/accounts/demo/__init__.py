"""The demo: accounts to look at, made by the same services that customers use."""
