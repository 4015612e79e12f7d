#!/usr/bin/env python3
"""Runs every command of the README and of docs/ as it is written there.

    scripts/docs.py [BINARY] [PAGE ...] [--all]

A block whose first line is `# name.toml` is written to a file of that name; a `text` block below a block of commands
must be printed by them, line by line. Commands on files of experiments/ that take long are only checked (`check --quick`),
with `--all` they run as well. What has a placeholder in capitals (EXPERIMENT.toml, DIR) shows a form of a command and is not run: that its
subcommand and options exist is asked of `--help`. Exit code 1 where anything differs.
"""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Experiments of a few seconds.
QUICK = {
    "quickstart", "fluid-leaf-crossing", "fluid-all-to-all", "fluid-leaf-ring", "fluid-halving-doubling", "fluid-ring", "asymmetric",
    "mixed",
}
# Needs what a page cannot bring: results of an earlier run, a cluster.
ELSEWHERE = {"compare", "serve", "submit", "merge", "report", "trace", "plot"}


def blocks(text):
    """Blocks of code: language and lines."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        yield match.group(1), match.group(2)


def words(line):
    """A command's words, without what follows two spaces or a # as a remark."""
    line = re.split(r"\s{2,}(?=\S)|\s#\s", line.strip())[0]
    try:
        return shlex.split(line)
    except ValueError:
        return []


class Runner:
    def __init__(self, binary, everything):
        self.binary, self.everything = binary, everything
        self.ran, self.asked, self.failures = 0, 0, []

    def fail(self, page, line, why):
        self.failures.append(f"{page}: {line}\n    {why}")

    def form(self, page, line, command):
        """A form of a command: its subcommand and its options are in the help."""
        answer = subprocess.run([self.binary, command[1], "--help"], capture_output=True, text=True)
        self.asked += 1
        if answer.returncode != 0:
            self.fail(page, line, "no such command")
        for option in (re.match(r"\[?(--[a-z-]+)", word) for word in command[2:]):
            if option and option.group(1) not in answer.stdout:
                self.fail(page, line, f"no option {option.group(1)}")

    def run(self, page, line, command, folder):
        """Runs a command and returns what it prints."""
        names = [word for word in command if word.endswith(".toml")]
        shipped = [name for name in names if name.startswith("experiments/")]
        dear = any(pathlib.Path(name).stem not in QUICK for name in shipped)
        arguments = command[1:]
        if dear and not self.everything:
            arguments = ["check", "--quick", *shipped]
        answer = subprocess.run([self.binary, *arguments], cwd=folder, capture_output=True, text=True)
        self.ran += 1
        if answer.returncode != 0:
            self.fail(page, line, answer.stderr.strip())
        return answer.stdout + answer.stderr

    def page(self, path):
        name = str(path.relative_to(ROOT))
        with tempfile.TemporaryDirectory() as folder:
            for shared in ("experiments", "topologies", "workloads", "tests"):
                (pathlib.Path(folder) / shared).symlink_to(ROOT / shared)
            printed = None
            for language, text in blocks(path.read_text()):
                first = text.split("\n", 1)[0]
                if language == "toml" and re.fullmatch(r"# [\w-]+\.toml", first):
                    (pathlib.Path(folder) / first[2:]).write_text(text)
                elif language == "text" and printed is not None:
                    lines = printed.splitlines()
                    for line in text.splitlines():
                        if line not in lines:
                            self.fail(name, line, "is not printed")
                    printed = None
                elif language in ("", "sh"):
                    outputs = []
                    for line in text.splitlines():
                        command = words(line)
                        if command[:5] == ["cargo", "run", "--release", "--"] + command[4:5]:
                            command = ["fabricsim", *command[4:]]
                        if len(command) < 2 or command[0] != "fabricsim":
                            continue
                        if re.search(r"\b[A-Z]{2,}|\[", " ".join(command)) or command[1] in ELSEWHERE:
                            self.form(name, line, command)
                        elif any(w.endswith(".toml") and not (pathlib.Path(folder) / w).exists() for w in command):
                            self.form(name, line, command)
                        else:
                            outputs.append(self.run(name, line, command, folder))
                    if outputs:
                        printed = "\n".join(outputs)


def main():
    arguments = [word for word in sys.argv[1:] if word != "--all"]
    binary = str(pathlib.Path(arguments[0] if arguments else ROOT / "target/release/fabricsim").resolve())
    pages = [ROOT / page for page in arguments[1:]] or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    runner = Runner(binary, "--all" in sys.argv)
    for page in pages:
        runner.page(page)
    print(f"{runner.ran} commands run, {runner.asked} forms looked up, {len(runner.failures)} differ")
    for failure in runner.failures:
        print(failure)
    sys.exit(1 if runner.failures else 0)


main()
