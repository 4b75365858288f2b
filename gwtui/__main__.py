"""Run gwtui as `python -m gwtui`."""

from gwtui.cli import run

if __name__ == "__main__":
    run()
