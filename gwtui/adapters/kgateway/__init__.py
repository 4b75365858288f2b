"""The kgateway kinds: where they are served and what their objects decode to. Imports the model alone."""
