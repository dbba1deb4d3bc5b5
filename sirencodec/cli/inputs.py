"""Arguments of a command -> inputs and tasks, with what is odd about them said."""

import sys
from collections.abc import Sequence

import click

from sirencodec.batch.names import plan_tasks
from sirencodec.batch.outputs import Existing, is_due
from sirencodec.batch.tasks import STREAM, Inputs, Task, Wanted, find_inputs
from sirencodec.cli.report import Report, emit_json, is_terminal, outcome_record
from sirencodec.errors import ParameterError


def find_command_inputs(
    names: Sequence[str],
    report: Report,
    *,
    recursive: bool,
    wanted: Wanted,
    ignore: Sequence[str] = (),
) -> Inputs:
    """What the user has named -> inputs; arguments as for ``find_inputs``.

    Raises:
        click.UsageError: if that does not work out.
    """
    try:
        inputs = find_inputs(names, recursive=recursive, wanted=wanted, ignore=ignore)
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    if any(each.source == STREAM for each in inputs.files) and is_terminal(sys.stdin):
        raise click.UsageError("stdin is a terminal; name a file or use a pipe")
    for name in inputs.empty:
        report.warn(name, "nothing to do in this directory")
    for name, what in inputs.strange:
        report.warn(name, what)
    for failure in inputs.unreadable:
        report.fail(None, failure)
    return inputs


def plan_command_tasks(
    inputs: Inputs, output: str | None, *, suffix: str, keep_suffix: bool = False
) -> tuple[list[Task], list[Task]]:
    """Inputs and the user's wish for the output -> tasks and twins; see ``plan_tasks``.

    Raises:
        click.UsageError: if that does not work out.
    """
    try:
        tasks, twins = plan_tasks(inputs, output, suffix=suffix, keep_suffix=keep_suffix)
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    if any(task.output == STREAM for task in tasks) and is_terminal(sys.stdout):
        raise click.UsageError("stdout is a terminal; name a file with -o or use a pipe")
    return tasks, twins


def leave_existing(
    tasks: Sequence[Task], existing: Existing, report: Report, *, as_json: bool
) -> tuple[list[Task], int]:
    """Tasks -> those whose output is to be made, and how many are skipped; the rest has failed."""
    due, num_skipped = [], 0
    for task in tasks:
        with report.guarding(task.source, task if as_json else None):
            if is_due(task, existing):
                due.append(task)
                continue
            num_skipped += 1
            if as_json:
                emit_json(outcome_record("skipped", task))
    return due, num_skipped
