"""Screens and dialogs; each is imported when it is opened first."""
