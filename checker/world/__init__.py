"""The trusted side of a run: the clock, the calls and the log. See `checker.world.world`."""
