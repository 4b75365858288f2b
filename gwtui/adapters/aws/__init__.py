"""AWS: which kinds of its load balancer controller are read."""
