"""Which language a text is probably in: by script, else by a few of its commonest words.

A heuristic for drift, not for anybody's letter: a word list has some ten words that no other list
has, so short texts are often "unknown". A shift of traffic shows as a shift of these classes.

No clock, no network, no logging: same arguments, same answer. The lists are our own; whoever
changes one raises FEATURES_VERSION.
"""

from typing import Literal, get_args

from tidegauge.traffic.texts.scripts import SCRIPTS

Language = Literal[
    "unknown",
    "en",
    "de",
    "fr",
    "es",
    "pt",
    "it",
    "nl",
    "pl",
    "tr",
    "id",
    "vi",
    "ru",
    "uk",
    "ar",
    "fa",
    "zh",
    "ja",
    "ko",
]
LANGUAGES: tuple[Language, ...] = get_args(Language)

WORDS: dict[Language, str] = {
    "en": "the and is are was what how why you your my this that with it of for from",
    "de": "der das und ist nicht ich ein eine wie mit auf für wir sie auch",
    "fr": "les des est une dans pour pas vous je avec sur mon quel",
    "es": "el los las es cómo qué está pero del muy más",
    "pt": "não uma os em é você são com mais meu minha isso",
    "it": "che non di sono è della come gli nel anche",
    "nl": "het een van niet ik zijn voor wat dat maar hoe mijn",
    "pl": "nie się jest jak że czy dla mnie mój ale przez",
    "tr": "bir ve bu için nasıl değil çok ile olarak gibi",
    "id": "yang dan ini tidak dengan untuk saya apa dari adalah",
    "vi": "là của và không tôi một những cho được này có",
    "ru": "и что как это для мой или был есть меня",
    "uk": "і та що як це від мій є або мене",
    "ar": "في على إلى هذا ما هل أن كيف التي",
    "fa": "از به که در این است را چه",
}
"""The words of each language that is told by words; none is in two lists."""

_LANGUAGE_OF_WORD: dict[str, Language] = {
    word: name for name, words in WORDS.items() for word in words.split()
}
_HAN, _KANA, _HANGUL = (SCRIPTS.index(name) for name in ("han", "kana", "hangul"))

# Japanese is written in both; a Chinese text may quote a little kana.
_KANA_OF_JAPANESE = 0.1


def language(text: str, script_counts: tuple[int, ...]) -> Language:
    """The language of `text`, whose characters are of these scripts.

    >>> from tidegauge.traffic.texts.scripts import script_counts
    >>> language("how high is the tide?", script_counts("how high is the tide?", ascii_letters=16))
    'en'
    """
    han, kana, hangul = (script_counts[script] for script in (_HAN, _KANA, _HANGUL))
    if max(han + kana, hangul) * 2 > sum(script_counts[1:]):
        if hangul > han + kana:
            return "ko"
        return "ja" if kana > _KANA_OF_JAPANESE * (han + kana) else "zh"
    # In C by map and filter: a loop in Python would cost as much as all the rest here.
    found: list[Language] = list(filter(None, map(_LANGUAGE_OF_WORD.get, text.lower().split())))
    if not found:
        return "unknown"
    # Of equals the first in LANGUAGES, whatever their order in the text.
    return max(set(found), key=lambda name: (found.count(name), -LANGUAGES.index(name)))
