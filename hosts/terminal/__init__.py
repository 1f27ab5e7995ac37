"""The command line: a host like the others. It asks the daemon through the bridge, and starts it when none runs."""
