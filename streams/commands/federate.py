"""`streams federate key|begin|contribute|combine`: learning with other sites, by files."""

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.terminal import print_lines
from streams.faults import UserFault

ROUND = typer.Option("--round", help="The round's file.")
DELTA = typer.Option("--delta", help="The delta at which epsilon is counted.")


def key(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The key file to make.")],
) -> None:
    """Make a site's secret key: noise and sampling come from it. It never leaves the site."""
    from streams.federation import make_key

    make_key(path)
    print_lines(f"{path}: a new key; keep it secret, and with the ledger")


def begin(
    round_path: Annotated[Path, ROUND],
    features: Annotated[str, typer.Option("--features", help="Names, with commas between.")],
    site: Annotated[list[str], typer.Option("--site", help="NAME=PEOPLE, once for each site.")],
    *,
    epsilon: Annotated[
        str, typer.Option("--epsilon", help="What all rounds together may spend; inf: no noise.")
    ] = "3",
    delta: Annotated[float, DELTA] = 1e-5,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How many are planned.")] = 30,
    clip: Annotated[float, typer.Option("--clip", help="Most one person changes.")] = 1.0,
    sampled: Annotated[float, typer.Option("--sampled", help="Chance of a person.")] = 1.0,
    rate: Annotated[float, typer.Option("--rate", help="Length of the steps.")] = 0.5,
) -> None:
    """Write the first round, with as much noise as the budget asks for."""
    from streams.federation import begin_file, budget_of
    from streams.learning.federated.accountant import noise_for

    sites = dict(_site(text) for text in site)
    names = [name.strip() for name in features.split(",") if name.strip()]
    noise = noise_for(budget_of(epsilon, delta), rounds, sampled)
    begin_file(round_path, names, sites, clip=clip, noise=noise, sampled=sampled, rate=rate)
    print_lines(
        f"{round_path}: round 1 of {rounds}, {len(names)} features, {len(sites)} sites, "
        f"noise {noise:.3f} x clip"
    )


def contribute(
    round_path: Annotated[Path, ROUND],
    examples: Annotated[Path, typer.Option("--examples", help="NDJSON: person, x, y.")],
    site: Annotated[str, typer.Option("--site", help="The name of this site in the round.")],
    key_path: Annotated[Path, typer.Option("--key", help="This site's secret key.")],
    ledger: Annotated[Path, typer.Option("--ledger", help="What this site has spent.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for the update.")],
    *,
    epsilon: Annotated[str, typer.Option("--epsilon", help="This site's budget, or inf.")] = "3",
    delta: Annotated[float, DELTA] = 1e-5,
) -> None:
    """Make this site's update: clipped by person, noised, and entered in the ledger."""
    from streams.federation import budget_of, contribute_files

    done = contribute_files(
        round_path,
        examples,
        site=site,
        key_path=key_path,
        ledger_path=ledger,
        budget=budget_of(epsilon, delta),
        out=out,
    )
    print_lines(
        f"{done.path}: of {done.people:,} people; epsilon spent {done.epsilon:.3f} at {delta:g}"
    )


def combine(
    round_path: Annotated[Path, ROUND],
    updates: Annotated[Path, typer.Option("--updates", help="The folder of updates.")],
    out: Annotated[Path, typer.Option("--out", help="The next round's file.")],
) -> None:
    """Add the updates of a folder up and write the next round."""
    from streams.federation import combine_files

    combined = combine_files(round_path, updates, out)
    for refused in combined.refused:
        print_lines(f"refused: {refused.site}: {refused.reason}")
    if combined.next is None:
        raise UserFault(f"{updates}: no update could be used; the round stays {round_path}")
    print_lines(f"{out}: round {combined.next.number}, from {', '.join(combined.used)}")


def _site(text: str) -> tuple[str, int]:
    name, found, people = text.partition("=")
    if not (name and found and people.isdecimal() and int(people)):
        raise UserFault(f"--site {text}: say NAME=PEOPLE, such as --site shanghai=12000")
    return name, int(people)
