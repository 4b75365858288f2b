"""Widgets that paint lines of `gwtui.views.spans`, visible rows only."""
