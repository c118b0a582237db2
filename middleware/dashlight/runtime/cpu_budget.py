"""The CPU budget: how many of the exchanges may be analysed."""

from math import exp

_MEMORY = 0.8
"""Weight of what was known in the running means: the last five or so rounds count."""
_AIM = 0.95
"""Of the share: the rest is for what is not foreseen."""
_ENOUGH = 32
_BURST_SECONDS = 1.0
"""Wall time whose allowance may be saved up, or overdrawn before the rate falls further."""


_SPREAD_SECONDS = 30.0
"""Mean time over which the judgement of panes is paid for: a few panes. It comes at their ends, all at once, and the
exchanges of one round cannot make up for it."""


class CpuBudget:
    """Keeps the analysis to a share of one core by lowering the rate at which exchanges are analysed.

    Every exchange costs its exact part (counts, latency, spans); one that is analysed costs more. The rate is what
    the arrivals of the last rounds leave room for,

    rate = (share - judging - arrivals * exact) / (arrivals * analysed),  between 0.1 % and 1,

    times a brake where more was used than allowed. *judging* is what the judgement of panes takes of a second, on average
    over the last few of them. The rate does not depend on what an exchange holds, so those analysed
    are a uniform sample of each round.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._arrivals = 0.0
        self._exact_seconds = 0.0
        self._analysed_seconds = 0.0
        self._judging = 0.0
        self._credit_seconds = share * _BURST_SECONDS
        self.rate = 1.0
        """Share of the exchanges of the next round to analyse."""

    def note(
        self,
        *,
        wall_seconds: float,
        exchanges: int,
        exact_cpu_seconds: float,
        analysed: int,
        analysed_cpu_seconds: float,
        judging_cpu_seconds: float = 0.0,
    ) -> None:
        """Learns from a round that took *wall_seconds* since the one before; *judging_cpu_seconds* were spent on panes."""
        known = exp(-wall_seconds / _SPREAD_SECONDS)
        # Whatever was spent is paid in the end: its sum over all time is that of the seconds.
        paid_seconds = self._judging * _SPREAD_SECONDS * (1 - known)
        self._judging = self._judging * known + judging_cpu_seconds / _SPREAD_SECONDS
        allowed = self._share * _AIM * wall_seconds - exact_cpu_seconds - analysed_cpu_seconds - paid_seconds
        most = self._share * _BURST_SECONDS
        self._credit_seconds = max(-most, min(most, self._credit_seconds + allowed))
        if wall_seconds > 0:
            self._arrivals = _blend(self._arrivals, exchanges / wall_seconds)
        if exchanges:
            self._exact_seconds = _blend(self._exact_seconds, exact_cpu_seconds / exchanges)
        # A handful bears the fixed cost of a round, and says nothing of what one more would cost.
        if analysed >= _ENOUGH or not self._analysed_seconds:
            self._analysed_seconds = _blend(self._analysed_seconds, analysed_cpu_seconds / max(analysed, 1))
        room = self._share * _AIM - self._judging - self._arrivals * self._exact_seconds
        wanted = self._arrivals * self._analysed_seconds
        rate = room / wanted if wanted > 0 else 1.0
        if self._credit_seconds < 0:
            rate *= 1 + self._credit_seconds / most
        elif self._credit_seconds > most / 2:
            # Half of the savings are there: a burst may use them.
            rate = max(rate, 1.0)
        self.rate = min(1.0, max(0.001, rate))


def _blend(known: float, seen: float) -> float:
    return seen if known == 0 else _MEMORY * known + (1 - _MEMORY) * seen
