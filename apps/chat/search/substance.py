"""How much a text says about a matter, beside greetings, thanks and doubts that fit every matter. Pure.

A list of words per language and a count: no model is asked, and nothing of it is stored. A language without a list has
shorter texts count less all the same, which is most of it: politeness is short.
"""

from __future__ import annotations

from functools import cache

from apps.vault.messages.stop_words import stop_words
from apps.vault.messages.words import DEFAULT_LANGUAGE, chunks, normal

HALF = 2.0
"""Words about the matter with which a text says half of what a text can."""

_COURTESY = {
    "english": (
        "hello hi hey dear morning afternoon evening thank thanks cheers welcome please kindly sorry apologies "
        "apologise pardon excuse great good perfect wonderful excellent brilliant lovely fantastic super nice fine ok "
        "okay alright sure yes yeah no right correct exactly got get getting understood understand see appreciate "
        "appreciated much many lot lots quick quickly soon fast reply response respond answer answered back come "
        "coming help helped helping helpful support team colleague best kind regards wishes sincerely bye goodbye "
        "again already still yet today tomorrow yesterday week weekend day days know knows need needed want like let "
        "tell told ask asked question questions try tried trying done do work worked works sorted sort solved solve "
        "resolved fixed happen happens happened thing things something anything everything nothing somebody someone "
        "anybody anyone everybody time moment minute news look looking looks case go going went make made take took "
        "long hear heard write say said mean first step start just really actually quite may might shall must don "
        "didn doesn haven hasn won couldn wouldn isn aren wasn ve re ll"
    ),
    "german": (
        "hallo guten tag morgen abend liebe lieber danke vielen dank bitte gern gerne entschuldigung sorry super toll "
        "prima perfekt gut okay ok klar ja nein richtig genau verstanden schnell schnelle antwort hilfe geholfen "
        "helfen grusse freundlichen freundliche wieder schon noch heute gestern woche frage fragen wissen brauche "
        "alles nichts etwas jemand bescheid melden melde geklappt erledigt"
    ),
    "french": (
        "bonjour bonsoir salut merci beaucoup cher chere svp plait desole pardon parfait super bien bon tres oui non "
        "exact compris vite rapide reponse aide aider cordialement salutations encore deja aujourd hui demain hier "
        "question savoir besoin tout rien quelque quelqu chose"
    ),
    "spanish": (
        "hola buenos buenas dias tardes noches gracias muchas por favor perdon siento perfecto genial bien bueno vale "
        "claro si correcto entendido rapida rapido respuesta ayuda ayudar saludos cordiales otra vez hoy manana ayer "
        "pregunta saber necesito todo algo alguien"
    ),
    "italian": (
        "ciao salve buongiorno buonasera grazie mille molte prego favore scusi scusa perfetto ottimo bene va certo si "
        "giusto capito veloce risposta aiuto aiutare saluti cordiali ancora gia oggi domani ieri domanda sapere tutto "
        "niente qualcosa qualcuno"
    ),
    "portuguese": (
        "ola bom boa dia tarde noite obrigado obrigada muito favor desculpe perfeito otimo bem certo sim correto "
        "entendi rapida rapido resposta ajuda ajudar cumprimentos abraco ainda hoje amanha ontem pergunta saber "
        "preciso tudo nada algo alguem"
    ),
    "dutch": (
        "hallo hoi goedemorgen goedemiddag dag bedankt dank dankjewel graag alstublieft alsjeblieft sorry perfect "
        "prima top goed fijn oke ok ja nee klopt begrepen snel snelle antwoord reactie hulp helpen groeten "
        "vriendelijke weer al vandaag morgen gisteren vraag weten nodig alles niets iets iemand"
    ),
}


@cache
def _says_nothing(language: str) -> frozenset[str]:
    """English ones always: people write it everywhere."""
    languages = {DEFAULT_LANGUAGE, language}
    return frozenset().union(*({*stop_words(one), *_COURTESY.get(one, "").split()} for one in languages))


def substance(text: str, language: str = DEFAULT_LANGUAGE) -> float:
    """From 0 for a text of nothing but courtesies, over 0.5 for HALF words about a matter, towards 1."""
    nothing = _says_nothing(language)
    words = {word for chunk in chunks(normal(text)) for word in _parts(chunk)} - nothing
    return len(words) / (len(words) + HALF)


def _parts(chunk: str) -> list[str]:
    """A word with what an apostrophe cut off it: "that's" is a stop word and a letter."""
    return [part for part in chunk.replace("’", "'").split("'") if len(part) > 1 or not part.isascii()]
