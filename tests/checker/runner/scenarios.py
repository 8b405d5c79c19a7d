"""The simplest scenarios: they call the `work` of a submission that a test has written."""

from checker.suite import scenario


@scenario
def plainly(kata, stage, **data):
    return kata.work(stage, **data)


@scenario
async def on_a_loop(kata, stage, **data):
    return await kata.work(stage, **data)
