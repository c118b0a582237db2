"""Which exchanges only ask whether the app is there: those of load balancers and of health checks."""

from dashlight.records import Exchange

METHODS = frozenset({"GET", "HEAD"})
PATHS = frozenset(
    {"health", "healthz", "healthcheck", "live", "livez", "metrics", "ping", "ready", "readyz", "startup"}
)
"""Last parts of a path that ask for health."""
AGENTS = frozenset({b"kube-probe", b"ELB-HealthChecker", b"GoogleHC"})
"""Product tokens of well-known probes, exactly as they send them."""
_PINGDOM = b"Pingdom.com_bot"
"""Its token goes on with a version and an address."""


def is_probe(exchange: Exchange) -> bool:
    """Whether *exchange* asks for health, by its path or its User-Agent; none that sends a body to be read does."""
    if exchange.method not in METHODS:
        return False
    if exchange.path.rsplit("/", 1)[-1] in PATHS:
        return True
    agents = (value for name, value in exchange.request_headers if name == b"user-agent")
    agent = next(agents, b"")
    return agent.split(b"/", 1)[0].split(b" ", 1)[0] in AGENTS or agent.startswith(_PINGDOM)
