"""Readers of a running assistant, who like its answers less after two thirds: `python simulate.py http://127.0.0.1:8000`."""

import argparse
import asyncio
import json
import random

import httpx

LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""An idle connection is given up before uvicorn closes it, after 5 s."""
QUESTIONS = ("Where is my bill?", "How do I cancel?", "The app is slow today", "Can I pay by card?")
LIKED, LIKED_LATER = 0.85, 0.55
"""How many thumbs are up, before somebody changed the prompt and after."""
ANSWERED = 0.5
"""Not everybody gives one."""


async def main() -> None:
    """Asks as many questions as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--questions", type=int, default=7500)
    parser.add_argument("--rate", type=float, default=200.0, help="questions a second")
    asked = parser.parse_args()
    chance = random.Random(11)
    async with httpx.AsyncClient(base_url=asked.url, limits=LIMITS, trust_env=False) as client:
        turn = asked.questions // 30 * 20
        began_at = asyncio.get_running_loop().time()
        for first in range(0, asked.questions, 10):
            if first == turn:
                print("answers are liked less", flush=True)
            liked = LIKED if first < turn else LIKED_LATER
            await asyncio.gather(*(ask(client, chance, liked) for _ in range(10)))
            wait = began_at + (first + 10) / asked.rate - asyncio.get_running_loop().time()
            await asyncio.sleep(max(wait, 0.0))
    print(f"thumbs up: {LIKED:.0%} of the first two thirds, {LIKED_LATER:.0%} of the last")


async def ask(client: httpx.AsyncClient, chance: random.Random, liked: float) -> None:
    """One question, its stream read to the end, and perhaps a thumb."""
    body = {"model": "helper-1", "stream": True, "messages": [{"role": "user", "content": chance.choice(QUESTIONS)}]}
    identifier = ""
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                identifier = json.loads(line.removeprefix("data: "))["id"]
    if chance.random() < ANSWERED:
        (await client.post("/thumb", json={"id": identifier, "up": chance.random() < liked})).raise_for_status()


if __name__ == "__main__":
    asyncio.run(main())
