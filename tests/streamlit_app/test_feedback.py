"""The form under an event: a word is saved at once, and every word is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from finops_assets.decisions.feedback import said
from tests.streamlit_app.conftest import Built, run_page
from tests.streamlit_app.test_pages import texts


def say(app: AppTest, verdict: str, note: str) -> AppTest:
    app.segmented_control(key="verdict_spike").set_value(verdict)
    app.text_input(key="note_spike").set_value(note)
    app.text_input(key="author_spike").set_value("kim")
    button = next(b for b in app.button if b.label == "Save")
    button.click().run()
    assert not app.exception, app.exception[0].message
    return app


def test_words_are_saved_and_shown(built: Built, use: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "warehouse").symlink_to(built.folder / "warehouse")
    use(tmp_path)
    app = run_page("anomalies", event="spike")
    assert "Nobody has said anything of this event." in texts(app)
    say(app, "planned", "Load *test*")
    assert [t.value for t in app.toast] == ["Saved: Planned change"]
    say(app, "real", "")
    first, second = said(tmp_path / "decisions.db", "spike")
    assert (first.verdict, first.note, first.author) == ("planned", "Load *test*", "kim")
    assert (second.verdict, second.note) == ("real", "")
    lines = [line for line in texts(app).splitlines() if " UTC, kim · " in line]
    assert [line.split(" · ")[1] for line in lines] == ["Real (counts)", "Planned change: Load *test*"]
    assert "Nobody has said" not in texts(app)
