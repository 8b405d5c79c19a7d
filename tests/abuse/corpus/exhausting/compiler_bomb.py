r"""A short source that the compiler would need gigabytes for.

Named: MemoryError|memory|not compile|raised|real time|processor time
May earn: 0
"""

x = ((((((("x" * 4000,) * 60,) * 250,) * 250,) * 250,) * 250,) * 250,)
y = {**{k: v for k in range(10**9) for v in range(10**9)}}
