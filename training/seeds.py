"""One recipe with several seeds, here or on other machines: `einthoven train RECIPE --seeds 1,2,3`.

Each seed's training is a run of its own, OUT/seed<n>, to quantize and score as any other. With
`--cluster` each is a job for a Dask worker, which must see OUT and the records as this machine
does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from einthoven.errors import UsageError
from einthoven.jobs import workers
from einthoven.training.model.train import train as train_recipe
from einthoven.training.recipe import with_seed
from einthoven.training.studies import workflow
from einthoven.training.studies.runs import HERE, Sources
from einthoven.training.studies.shared.recipe import is_study


@dataclass(frozen=True)
class Job:
    """A training of `recipe`, whose text has its seed in it, into `out`."""

    recipe: Path
    out: Path
    resume: bool
    sources: Sources = HERE
    quick: bool = False
    epochs: int | None = None


def train(job: Job) -> Path:
    """The run's folder. Raises what the recipe's own training does."""
    if is_study(job.recipe):
        options = (job.resume, job.sources, job.quick, job.epochs)
        return workflow.train(job.recipe, job.out, *options)
    return train_recipe(job.recipe, job.out, job.resume, job.sources.data)


def train_seeds(
    recipe: Path,
    out: Path,
    seeds: Sequence[int],
    resume: bool = False,
    sources: Sources = HERE,
    quick: bool = False,
    epochs: int | None = None,
    cluster: str | None = None,
) -> list[Path]:
    """The runs, by seed. `cluster` as of `jobs.workers`. Raises UsageError, RecordError."""
    try:
        text = recipe.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"recipe {recipe} cannot be read: {error.strerror}") from error
    jobs = {}
    out.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        own = out / f"seed{seed}.toml"
        own.write_text(with_seed(text, seed), encoding="utf-8")
        folder = (out / f"seed{seed}").resolve()
        jobs[folder.name] = Job(own.resolve(), folder, resume, sources, quick, epochs)
    with workers(cluster) as run_jobs:
        done = dict(run_jobs(train, jobs))
    return [done[name] for name in jobs]
