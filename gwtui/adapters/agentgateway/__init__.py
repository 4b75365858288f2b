"""agentgateway: which of its kinds are read."""
