"""A run tells the commit of the code that made it, where there is one."""

import subprocess

from ieat.pipeline.run_report import commit_of


def git(folder, *arguments):
    names = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(
        ["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_commit_of_a_tracked_file_is_told_and_whether_it_was_changed(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("a = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-qm", "a")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert len(head) == 40
    assert commit_of(file) == head
    file.write_text("a = 2\n")
    assert commit_of(file) == f"{head}+"


def test_a_file_that_no_repository_tracks_has_no_commit(tmp_path):
    git(tmp_path, "init", "-q")
    file = tmp_path / "a.py"
    file.write_text("a = 1\n")
    assert commit_of(file) is None
    assert commit_of(tmp_path / "none" / "a.py") is None
