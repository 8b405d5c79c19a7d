from checker.suite import *
@scenario
async def s(kata, stage):
    await kata.every(1,1,print)
@result
async def test_x(run):
    "x"
    await run(s)
