"""The edge: one folder per system we talk to. Adapters see the model, the ports and the errors, never each other."""
