"""When it happens: the loop, the clock, endpoints, the store, and the ports that adapters fill."""
