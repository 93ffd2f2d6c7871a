"""How often each non-ASCII letter appears in a language: what tells one single-byte code page from another.

Each line lists letters with their rough share per cent of all non-ASCII letters in running text and names of that
language. The shares only rank guesses, so one significant digit is enough.
"""

from __future__ import annotations

# Languages written in Latin letters: few letters outside ASCII, so these few decide.
_LATIN = {
    "German": "ü40 ä26 ö18 ß14 é2",
    "French": "é56 è12 à11 ç7 ê6 î2 ô2 û1 ù1 â1 ë1 ï1 œ1",
    "Spanish": "ó28 í26 á18 ñ12 é12 ú4 ü0.5",
    "Portuguese": "ã23 ç20 é12 á12 í9 ó9 ê5 õ5 â2 ú2 à2 ô1",
    "Italian": "à34 è30 ù13 ò12 ì6 é5",
    "Catalan": "ó25 é16 à15 í10 ç9 è9 ò8 ú4 ï2 ü2",
    "Swedish": "ä40 å32 ö26 é2",
    "Danish and Norwegian": "å36 ø34 æ28 é2",
    "Finnish": "ä87 ö12 å1",
    "Icelandic": "ð18 í14 á14 é10 ó9 þ9 ú7 ö7 æ6 ý3",
    "Dutch": "ë45 é30 ï12 ü5 ö4 è2 ê1 ç1",
    "Irish": "á30 í26 é20 ó16 ú8",
    "Polish": "ł24 ę15 ó13 ą13 ż11 ś9 ć7 ń6 ź2",
    "Czech": "í20 á18 é11 ě10 ř8 č8 š7 ž7 ý6 ů4 ú1 ň1 ť1 ď1",
    "Slovak": "á19 í14 é11 ý11 č11 š9 ž8 ú7 ľ4 ť3 ô2 ň2 ä1 ď1",
    "Hungarian": "á29 é28 ö10 ó9 ő7 í6 ü5 ú3 ű2",
    "Croatian and Slovene": "č35 š27 ž21 ć12 đ5",
    "Romanian": "ă30 ț17 ţ9 ș11 ş6 î17 â10",
    "Turkish": "ı31 ü16 ş14 ç10 ğ9 ö8 İ5 â1",
    "Lithuanian": "ė22 š19 ž12 ų11 ū8 į8 č7 ą6 ę3",
    "Latvian": "ā32 ī16 ē14 š12 ū7 ņ7 ļ5 ž4 č2 ģ1 ķ1",
    "Estonian": "ä38 õ26 ü24 ö9 š1 ž1",
    "Vietnamese": "đ8 ư9 ơ6 ă5 â7 ê7 ô8 á5 à6 é1 í2 ó2 ú2",
}
# Other scripts: every letter is outside ASCII; in order of frequency, the shares falling as in Zipf's law.
_SCRIPTS = {
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оаинвіерстклудмпязьбгчйхжшцюєїщфґ",
    "Bulgarian": "аоиетнрсвлкдпмузягбъчхщжцшюйфь",
    "Serbian and Macedonian": "аоиенрсјтувкдмлпгзбњцљшхћжчђфџѓќѕ",
    "Greek": "αοιετσνρκπςμλυηάίγόδώέθχφήωβξύζψϊϋΐΰ",
    "Hebrew": "יוהלאמרבתשנכדעחקםפטסזןגצךףץ",
    "Arabic": "المينوترهبدسفعحكقةجىءأخطصشضذزغثظئإؤآ",
    "Thai": "านรอกเงมลวยสตดท่้ิัีคะปบหแชพจขโธซผไถภณศฟ์ำุูษใึืญฉฎฏฐ",
}


# A company's customers live in more than one country: a list that holds a Müller, a Søren and a Begoña is unlikely in
# each of their languages alone. Mixed like that are Western lists; a mixture for each of the smaller code pages
# too would make their rare letters as likely as those of any Western name.
_WESTERN = (
    "German",
    "French",
    "Spanish",
    "Portuguese",
    "Italian",
    "Swedish",
    "Danish and Norwegian",
    "Finnish",
    "Dutch",
)


def _together(languages: tuple[str, ...]) -> dict[str, float]:
    """The mean of the languages' shares."""
    shares: dict[str, float] = {}
    for language in languages:
        for letter, share in _latin(_LATIN[language]).items():
            shares[letter] = shares.get(letter, 0.0) + share / len(languages)
    return shares


def _latin(line: str) -> dict[str, float]:
    return {entry[0]: float(entry[1:]) / 100 for entry in line.split()}


def _script(letters: str) -> dict[str, float]:
    whole = sum(1 / (rank + 3) for rank in range(len(letters)))
    return {letter: 1 / (rank + 3) / whole for rank, letter in enumerate(letters)}


def _with_capitals(shares: dict[str, float], capital: float) -> dict[str, float]:
    """Add the capital of each letter with ``capital`` of its share: names begin with one."""
    both = dict(shares)
    for letter, share in shares.items():
        upper = letter.upper()
        if len(upper) == 1 and upper != letter:
            both[upper] = both.get(upper, 0.0) + share * capital
    return both


LANGUAGES: dict[str, dict[str, float]] = {
    **{name: _with_capitals(_latin(line), 0.3) for name, line in _LATIN.items()},
    "Western Europe": _with_capitals(_together(_WESTERN), 0.3),
    **{name: _with_capitals(_script(letters), 0.3) for name, letters in _SCRIPTS.items()},
}
