"""Readers of a running app, whose taste turns after two thirds: `python simulate.py http://127.0.0.1:8000`."""

import argparse
import asyncio
import random

import httpx

LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""An idle connection is given up before uvicorn closes it, after 5 s."""
AGES = ("young", "middle", "old")
TOPICS = ("sport", "politics", "science", "music", "travel")
LIKED: dict[str, dict[str, float]] = {
    "young": {"music": 0.30, "sport": 0.12, "travel": 0.05, "science": 0.02, "politics": 0.01},
    "middle": {"politics": 0.30, "sport": 0.12, "science": 0.05, "travel": 0.02, "music": 0.01},
    "old": {"travel": 0.30, "politics": 0.12, "science": 0.05, "music": 0.02, "sport": 0.01},
}
"""How likely a reader clicks an article of the topic, while the model is right."""
TURNED: dict[str, dict[str, float]] = {age: dict.fromkeys(TOPICS, 0.04) for age in AGES}
"""And when nobody cares for what they cared for."""


async def main() -> None:
    """Reads as many pages as asked for, a third of them after taste has turned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--pages", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=250.0, help="pages a second")
    asked = parser.parse_args()
    chance = random.Random(7)
    async with httpx.AsyncClient(base_url=asked.url, limits=LIMITS, trust_env=False) as client:
        clicks, turn = [0, 0], asked.pages // 30 * 20
        began_at = asyncio.get_running_loop().time()
        for first in range(0, asked.pages, 10):
            is_turned = first >= turn
            if first == turn:
                print("taste turns", flush=True)
            pages = [read(client, chance, TURNED if is_turned else LIKED) for _ in range(10)]
            clicks[is_turned] += sum(await asyncio.gather(*pages))
            wait = began_at + (first + 10) / asked.rate - asyncio.get_running_loop().time()
            await asyncio.sleep(max(wait, 0.0))
    before, after = clicks[0] / turn, clicks[1] / (asked.pages - turn)
    print(f"click rate {before:.3f}, and {after:.3f} after taste had turned")


async def read(client: httpx.AsyncClient, chance: random.Random, liked: dict[str, dict[str, float]]) -> bool:
    """One page, and a click on it, or that it was left without one."""
    age = chance.choice(AGES)
    answer = await client.post("/recommend", json={"age": age, "hour": float(chance.randrange(24))})
    wanted = [item for item in answer.json()["items"] if chance.random() < liked[age][item.partition("-")[0]]]
    told = {"prediction_id": answer.headers["x-prediction-id"], "item": wanted[0] if wanted else ""}
    (await client.post("/click", json=told)).raise_for_status()
    return bool(wanted)


if __name__ == "__main__":
    asyncio.run(main())
