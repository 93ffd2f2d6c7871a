"""Words that stand in nearly every text of a language, and are therefore neither indexed nor looked up.

Written without accents, as the index sees them. A language that is not here has none: its commonest words are then
found like all others, in bounded time (see ``searching``).
"""

from __future__ import annotations

_LISTS = {
    "english": (
        "a about after all also am an and any are as at be because been before being but by can could did do does "
        "doing down for from had has have having he her here hers him his how i if in into is isn it its just ll "
        "m me more most my no nor not now of off on once only or other our out over own re s same she should so "
        "some such t than that the their them then there these they this those through to too under until up ve "
        "very was we were what when where which while who whom why will with would you your d"
    ),
    "german": (
        "aber als am an auch auf aus bei bin bis bist da damit das dass dein dem den der des die dies diese "
        "dieser dieses doch du durch ein eine einem einen einer eines er es fur hat hatte hier ich ihr ihre im in "
        "ist ja jede jeder jedes kann kein keine mein meine mich mir mit nach nicht noch nun nur ob oder ohne "
        "sehr sein seine sich sie sind so uber um und uns unser unter vom von vor war waren was weil wenn wer wie "
        "wir wird wo zu zum zur"
    ),
    "french": (
        "ai au aux avec c ce ces cet cette d dans de des du elle en est et eu il ils j je l la le les leur leurs "
        "lui m ma mais me mes moi mon n ne nos notre nous on ont ou par pas plus pour qu que qui s sa se ses si "
        "son sont sur t ta te tes toi ton tu un une vos votre vous y"
    ),
    "spanish": (
        "a al ante con como cual de del desde donde el ella ellas ellos en entre era es esa ese eso esta este "
        "esto fue ha han hay la las le les lo los mas me mi mis muy nada ni no nos o os para pero por porque que "
        "se si sin sobre su sus te ti tu tus un una uno unos y ya yo"
    ),
    "italian": (
        "a ad al alla alle anche c che chi ci come con da dal dalla dei del della delle di e ed era fra gli ha "
        "hai ho i il in io l la le lei lo loro lui ma me mi mia mio ne nei nel nella noi non o per piu quella "
        "quello questa questo se si sono su sua suo tra tu un una uno vi voi"
    ),
    "portuguese": (
        "a ao aos as ate com como da das de dela dele do dos e ela elas ele eles em entre era essa esse esta este "
        "eu foi ha isso isto ja la lhe mais mas me meu minha muito na nao nas nem no nos o os ou para pela pelo "
        "por porque quando que se sem ser seu sua tambem te tem um uma voce"
    ),
    "dutch": (
        "aan als bij dat de deze die dit door een en er had heb heeft het hij hoe ik in is je kan maar me meer "
        "men met mij mijn naar niet nog nu of om onder ons ook op over te toch tot u uit van veel voor waar want "
        "was wat we wel wie wij worden wordt ze zich zij zijn zo zou"
    ),
}

_WORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
_NONE: frozenset[str] = frozenset()


def stop_words(language: str) -> frozenset[str]:
    """The stop words of a language; none for one that has no list."""
    return _WORDS.get(language, _NONE)
