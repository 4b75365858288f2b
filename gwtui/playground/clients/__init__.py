"""The clients by what they speak: their orders, their counts, and one file for each kind of conversation.

`gwtui.playground.load` is the process in which they run.
"""
