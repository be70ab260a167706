"""The demo: recorded real events through the real functions into the local Data Map."""
