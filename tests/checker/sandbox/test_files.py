"""What a submission can reach of files from inside the sandboxes: nothing of the grader's."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

READ = """
found = []
for path in {paths!r}:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
        found.append(path)
    except OSError:
        pass
return found
"""


def test_the_course_is_out_of_reach(inside):
    """Suites, solutions and the rest of the checkout cannot be read, but for this package and an environment in it."""
    shown = [Path(sys.prefix), ROOT / "checker"]
    names = [entry.name for entry in os.scandir(ROOT) if not any(path.is_relative_to(entry.path) for path in shown)]
    assert {"solutions", "tests", "katas", "pyproject.toml"} <= set(names)
    paths = [str(ROOT / name) for name in (*names, "solutions/07_semaphore.py", "tests/katas/test_07_semaphore.py")]
    assert inside(READ.format(paths=paths)) == []


def test_the_harness_is_all_there_is_of_the_checker(inside, confined):
    """Beside the runner's own package there is nothing in its folder."""
    folder = inside("import sys; return [path for path in sys.path if path.endswith('/harness')]")
    assert len(folder) == 1
    assert inside(f"return os.listdir({folder[0]!r})") == ["checker"]


def test_the_home_folder_and_the_environment_are_out_of_reach(inside, tmp_path):
    """No file of the user's, and none of the grader's variables."""
    (tmp_path / "secret").write_text("s3cret")
    os.environ["KATA_TEST_SECRET"] = "s3cret"
    try:
        variables = inside("return dict(os.environ)")
    finally:
        del os.environ["KATA_TEST_SECRET"]
    assert not [name for name in variables if "SECRET" in name or "TOKEN" in name]
    home = os.path.expanduser("~")
    paths = [str(tmp_path), f"{tmp_path}/secret", "/etc/passwd", "/etc/shadow", "/var"]
    paths += [entry.path for entry in os.scandir(home) if entry.is_file()]
    assert inside(READ.format(paths=paths)) == []


def test_the_zygote_cannot_be_read(inside):
    """Memory, environment and descriptors of the sandbox's first process are closed to its children."""
    body = """
found = []
for name in ("mem", "environ", "fd"):
    path = f"/proc/{os.getppid()}/{name}"
    try:
        os.listdir(path) if name == "fd" else open(path, "rb").read(1)
        found.append(name)
    except OSError:
        pass
return found
"""
    assert inside(body) == []


def test_nothing_can_be_written_but_a_folder_of_its_own(inside, tmp_path):
    """The system and the harness are read-only; what can be written to is private and small."""
    body = f"""
import checker
own = tempfile.gettempdir()
written = []
for folder in ("/", "/usr", "/etc", os.path.dirname(checker.__file__), {str(tmp_path)!r}, own):
    try:
        with open(folder + "/probe", "w") as file:
            file.write("x")
        written.append(folder)
    except OSError:
        pass
return written == [own]
"""
    assert inside(body) is True
    assert os.listdir(tmp_path) == []


def test_files_of_the_user_cannot_be_changed_without_opening_them(inside, tmp_path):
    """Modes, times, owners and lengths of files outside stay as they are."""
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    victim.chmod(0o666)
    tmp_path.chmod(0o777)
    before = victim.stat()
    body = f"""
victim = {str(victim)!r}
acts = (
    lambda: os.chmod(victim, 0), lambda: os.utime(victim, (1, 1)), lambda: os.truncate(victim, 0),
    lambda: os.unlink(victim), lambda: os.rename(victim, victim + "2"), lambda: os.link(victim, "l"),
    lambda: os.setxattr(victim, "user.a", b"b"), lambda: os.chown(victim, os.getuid(), -1),
    lambda: os.symlink("x", victim + "3"), lambda: os.mkdir(victim + "4"),
)
done = []
for place, act in enumerate(acts):
    try:
        act()
        done.append(place)
    except OSError:
        pass
return done
"""
    assert inside(body) == []
    after = victim.stat()
    assert (after.st_mode, after.st_mtime, after.st_size) == (before.st_mode, before.st_mtime, before.st_size)


def test_of_proc_there_is_only_the_process_itself(inside, only):
    """Routes, connections and mounts of the machine are not told, nor through a thread's folder; its own facts are."""
    only("landlock")
    places = [f"/proc/{name}" for name in ("net", "self/net", "thread-self/net", "self/task/{0}/net")]
    paths = [f"{place}/{name}" for place in places for name in ("route", "arp", "unix", "tcp")]
    paths += [f"/proc/{name}" for name in ("self/mountinfo", "self/cgroup", "stat", "1/stat")]
    prepared = f"paths = [path.format(os.getpid()) for path in {paths!r}]"
    assert inside(prepared + READ.format(paths=["paths"]).replace("['paths']", "paths")) == []
    own = [f"/proc/self/{name}" for name in ("stat", "status", "statm", "cmdline", "maps", "fd", "task")]
    assert inside(READ.format(paths=own)) == own
