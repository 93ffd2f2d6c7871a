"""The product's configuration: settings, addresses, processes, embedded servers."""
