"""How much a text says about a matter."""

from __future__ import annotations

import pytest

from apps.chat.search.substance import substance


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thank you, that's all I needed to know.", "english"),
        ("Hello! Is there any news?", "english"),
        ("", "english"),
        ("Vielen Dank für die schnelle Antwort!", "german"),
        ("Merci beaucoup, bonjour", "french"),
        ("Muchas gracias por la respuesta", "spanish"),
        ("Thanks a lot!", "german"),
    ],
)
def test_courtesies_say_nothing(text: str, language: str) -> None:
    assert substance(text, language) == 0


def test_more_words_about_a_matter_say_more() -> None:
    texts = ["My boiler?", "My boiler knocks.", "My boiler knocks at night when the radiators come on."]
    said = [substance(text) for text in texts]
    assert said == sorted(said) and 0 < said[0] < said[-1] < 1
    assert substance("The boiler knocks, the boiler KNOCKS!") == substance("boiler knocks")


def test_a_language_without_a_list_has_longer_texts_say_more() -> None:
    thanks, matter = "Tack så mycket", "Min kylskåpsdörr stänger inte ordentligt och maten blir varm"
    assert substance(thanks, "swedish") < substance(matter, "swedish")
