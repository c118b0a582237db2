"""Shops that ask a running app every morning, and tell it each day's sales: `python simulate.py http://127.0.0.1:8000`.

After two thirds a competitor opens next door, and sales are a third lower. DASHLIGHT_LABELS_TOKEN is the token for labels.
"""

import argparse
import os
import random
import time
from collections import deque
from typing import TypeAlias

import httpx

WEEK, WEEKS_KNOWN = 7, 4
OF_WEEKDAY = (80.0, 85.0, 90.0, 100.0, 140.0, 180.0, 120.0)
SHOPS = 20
BEGINNING = 503
"""An app that has just begun takes no labels for a moment."""
Label: TypeAlias = dict[str, str | int | float]


def main() -> None:
    """Lives as many days as asked for, as quickly as they can be asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--rate", type=float, default=5.0, help="days a second")
    asked = parser.parse_args()
    chance, turn = random.Random(3), asked.days * 2 // 3
    shops: dict[str, deque[float]] = {f"shop {number}": deque(maxlen=WEEK * WEEKS_KNOWN) for number in range(SHOPS)}
    for day in range(-WEEK * WEEKS_KNOWN, 0):
        for sales in shops.values():
            sales.append(sold(day, chance, 1.0))
    forecasts: deque[list[str]] = deque(maxlen=WEEK)
    token = {"authorization": f"Bearer {os.environ['DASHLIGHT_LABELS_TOKEN']}"}
    began_at = time.monotonic()
    with httpx.Client(base_url=asked.url, trust_env=False) as client:
        for day in range(asked.days):
            ids: list[str] = []
            for shop, sales in shops.items():
                answer = client.post("/forecast", json={"shop": shop, "sales": list(sales)})
                ids.append(answer.raise_for_status().headers["x-prediction-id"])
            forecasts.appendleft(ids)
            if day == turn:
                print("a competitor opens", flush=True)
            level = 1.0 if day < turn else 0.67
            labels: list[Label] = []
            for place, sales in enumerate(shops.values()):
                sales.append(sold(day, chance, level))
                # Today was step 1 of this morning's forecast, step 2 of yesterday's, ...
                labels += [
                    {"prediction_id": ids[place], "step": step, "label": sales[-1]}
                    for step, ids in enumerate(forecasts, 1)
                ]
            tell(client, labels, token)
            time.sleep(max(began_at + (day + 1) / asked.rate - time.monotonic(), 0.0))
    print(f"{asked.days} days of {SHOPS} shops; sales a third lower from day {turn} on")


def tell(client: httpx.Client, labels: list[Label], token: dict[str, str]) -> None:
    """Send *labels*, again where the app says that it can take none yet: it has just begun."""
    answer = client.post("/dashlight/labels", json=labels, headers=token)
    for _ in range(20):
        if answer.status_code != BEGINNING:
            break
        time.sleep(0.5)
        answer = client.post("/dashlight/labels", json=labels, headers=token)
    answer.raise_for_status()


def sold(day: int, chance: random.Random, level: float) -> float:
    """What a shop sells on one *day*."""
    return round(level * OF_WEEKDAY[day % WEEK] * chance.gauss(1.0, 0.1), 2)


if __name__ == "__main__":
    main()
