"""`kata doctor`: what this machine offers to keep strangers' code in."""

from __future__ import annotations

import click

from checker.cli import common


@click.command()
def doctor() -> None:
    """Say which sandboxes this machine offers, and what to install."""
    from checker.sandbox.doctor import examine

    findings = examine()
    for finding in findings:
        click.echo(f"{'ok ' if finding.ok else '-- '} {finding.name}: {finding.says}")
        if finding.advice:
            click.echo(f"       {finding.advice}")
    raise SystemExit(common.PASSED if findings and findings[-1].ok else common.FAILED)
