"""Which legacy encoding a text is in that is not UTF-8. Pure.

A multi-byte encoding is believed when nearly everything decodes and what comes out are common characters (kana,
hangul, first-level ideographs). Otherwise each single-byte candidate is judged by what it makes of the words:
letters of one alphabet, capitals only at the front, no symbols inside.
"""

# ruff: noqa: RUF001, RUF002  (letters that look alike are what this is about)
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

# Alphabets: the letters beyond ASCII of a language; behind a bar, some of which one at least is met in any text.
_WESTERN = [
    "äöüß",
    "àâæçéèêëîïôœùûüÿ",
    "áéíñóúü",
    "ãáâàçéêíõóôúü",
    "àèéìòù",
    "åäöæøé",
    "ëïéèöü",
    "äöåõüšž",
    "áðéíóúýþæö|áéíóúæ",
]
_CENTRAL = ["ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű", "áäčďéíĺľňóôŕšťúýž", "čćđšž", "ăâîşţ"]
_BALTIC = ["ąčęėįšųūž|ėęąį", "āčēģīķļņšūž|ēīļņā"]
_CAPITALS = "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЭЮЯЄІЇЂЈ"
_CYRILLIC = [
    f"абвгдежзийклмнопрстуфхцчшщъыьэюяё|яыьюэ{_CAPITALS}",
    f"абвгдеєжзиіїйклмнопрстуфхцчшщьюяґ|яьюєї{_CAPITALS}",
    f"абвгдђежзијклљмнњопрстћуфхцчџш|јљњћђ{_CAPITALS}",
]
_GREEK = ["αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"]
_HEBREW = ["אבגדהוזחטיךכלםמןנסעףפץצקרשת"]
_ARABIC = ["ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"]
_THAI = ["กขคฆงจฉชซญฐณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮะัาำิีึืุูเแโใไ็่้๊์"]
# The letters that make two thirds of a text. Western and Central European ones are too few beyond ASCII to tell.
_FREQUENT = dict.fromkeys(
    ["cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic"], "оеаинтсрвлкмОЕАИНТСРВЛКМ"
) | {
    "cp1253": "αοιετνσηρςκπάίό",
    "cp1255": "יוהלאמתרבש",
    "cp1256": "اليمونترةبد",
    "iso8859-6": "اليمونترةبد",
}
# In the order of preference when two explain a text equally well.
_SINGLE: tuple[tuple[str, list[str]], ...] = (
    ("cp1252", _WESTERN),
    ("cp1251", _CYRILLIC),
    ("cp1250", _CENTRAL),
    ("koi8-r", _CYRILLIC),
    ("koi8-u", _CYRILLIC),
    ("cp866", _CYRILLIC),
    ("iso8859-5", _CYRILLIC),
    ("cp1253", _GREEK),
    ("cp1254", ["çğıöşüâîûİ|ğışİĞŞ"]),
    ("cp1257", _BALTIC),
    ("cp1255", _HEBREW),
    ("cp1256", _ARABIC),
    ("iso8859-2", _CENTRAL),
    ("cp850", _WESTERN),
    ("mac-roman", _WESTERN),
    ("cp852", _CENTRAL),
    ("mac-cyrillic", _CYRILLIC),
    ("iso8859-6", _ARABIC),
    ("cp874", _THAI),
)
# Western is by far the most common: a tie, or nearly one, is its.
_PRIOR = {
    "cp1252": 0.08,
    "cp1257": -0.02,
    "iso8859-2": -0.03,
    "iso8859-5": -0.1,
    "cp850": -0.3,
    "mac-roman": -0.3,
    "cp852": -0.3,
} | {
    "mac-cyrillic": -0.1,
    "iso8859-6": -0.1,
}
_PUNCTUATION = frozenset("\u00a0€£§°±²³µ·–—‘’“”„…«»‹›•™®©№¿¡´×÷½¼¾ªº")
_HALF_KANA, _FULL_WIDTH = (0xFF61, 0xFF9F), 0.1
_HANGUL, _KANA, _IDEOGRAPH = (0xAC00, 0xD7A3), (0x3040, 0x30FF), (0x4E00, 0x9FFF)
_POOR = 0.5
_MOSTLY, _COMPANY, _FEW_ERRORS = 0.8, 0.7, 0.005
# What no Western language writes: õ beside áéíóú but before e alone, ç before a consonant, ð at the front. Central
# European and Baltic texts look so when they are read as Western ones.
_NOT_WESTERN = re.compile(
    r"[áéíóú][^õ]*õ(?!e)|õ(?!e)[^áéíóú]*[áéíóú]|ç(?![aouãâáàóõêéôúiye])[^\W\d]|\b[ðÐ](?=[^\W\d_])", re.DOTALL
)
_RUN = re.compile("[^\x00-\x7f]+")


# A file's sample and the whole of a small file are the same bytes.
@lru_cache(maxsize=4)
def guess_legacy(data: bytes) -> tuple[str, float]:
    """The most plausible encoding (as Python names it) of lines that are not UTF-8, and how sure (0 to 1).

    >>> guess_legacy("Größe;Straße\\nMüller;Köln\\n".encode("cp1252"))[0]
    'cp1252'
    >>> guess_legacy("город,имя\\nМосква,Иван Петров\\n".encode("koi8-r"))[0]
    'koi8-r'
    """
    double = max(((_double_score(data, name, judge), name) for name, judge in _DOUBLE), default=(0.0, ""))
    if double[0] >= _MOSTLY:
        return double[1], min(double[0], 0.95)
    # Each byte is one letter or sign in these.
    foreign = [place for place, one in enumerate(data) if one > 0x7F]
    scores = [
        (_single_score(data.decode(name, "replace"), foreign, name, alphabets), -place)
        for place, (name, alphabets) in enumerate(_SINGLE)
    ]
    score, place = max(scores)
    if score < _POOR and double[0] > score:
        return double[1], round(double[0], 2)
    return _SINGLE[-place][0], round(min(max(score, 0.3), 0.95), 2)


def _single_score(text: str, foreign: list[int], encoding: str, alphabets: list[str]) -> float:
    if not foreign:
        return 0.0
    letters = Counter(text[place] for place in foreign if _is_letter(text[place]))
    known = max(_known(letters, alphabet) for alphabet in alphabets)
    known -= 0.7 * sum(_is_alone(text, place) for place in foreign if _is_letter(text[place]))
    known -= 0.2 * sum(count for one, count in letters.items() if one not in _FREQUENT.get(encoding, one))
    marks = sum(_mark_score(text, place) for place in foreign if not _is_letter(text[place]))
    odd = sum(_is_odd(text, place) for place in foreign if _is_letter(text[place]))
    foreign_to_west = alphabets is _WESTERN and _NOT_WESTERN.search(text) is not None
    return (known + marks - odd) / len(foreign) + _PRIOR.get(encoding, 0.0) - 0.15 * foreign_to_west


def _is_letter(one: str) -> bool:
    return one.isalpha() and one not in _PUNCTUATION


def _known(letters: Counter[str], alphabet: str) -> float:
    usual, _, needed = alphabet.partition("|")
    if needed and not any(one in needed for one in letters):
        return 0.0
    return float(sum(count for one, count in letters.items() if one in usual or one.lower() in usual))


def _is_alone(text: str, place: int) -> bool:
    return not (text[place - 1 : place].isalpha() or text[place + 1 : place + 2].isalpha())


def _mark_score(text: str, place: int) -> float:
    """A sign: usual ones count for a text, unusual ones and those inside a word against it."""
    before, behind = text[place - 1 : place], text[place + 1 : place + 2]
    if text[place] not in _PUNCTUATION:
        return -1.0
    inside = before.isalpha() and behind.isalpha() and text[place] not in "’·´–"
    if inside or (behind.isalpha() and text[place] in "©®™³¹"):
        return -1.0
    return 0.9


def _is_odd(text: str, place: int) -> bool:
    """A capital behind a small letter, or alphabets that meet inside a word."""
    one, before, behind = text[place], text[place - 1 : place], text[place + 1 : place + 2]
    if before.isalpha() and (_alphabet(before) != _alphabet(one) or (one.isupper() and before.islower())):
        return True
    return behind.isalpha() and _alphabet(behind) != _alphabet(one)


@lru_cache(maxsize=4096)
def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "?").partition(" ")[0]


def _double_score(data: bytes, encoding: str, judge: Callable[[str, str], float]) -> float:
    text = data.decode(encoding, "replace")
    runs = _RUN.findall(text)
    foreign = "".join(runs)
    # An accented letter and its neighbour may look like an ideograph, but then it stands alone.
    in_company = sum(len(run) for run in runs if len(run) > 1)
    if foreign.count("\ufffd") > len(foreign) * _FEW_ERRORS or in_company < _COMPANY * len(foreign) or not foreign:
        return 0.0
    return judge(foreign, encoding)


def _share(text: str, *ranges: tuple[int, int]) -> float:
    return sum(any(low <= ord(one) <= high for low, high in ranges) for one in text) / len(text)


def _is_marked(one: str) -> bool:
    return 0x3000 <= ord(one) <= 0x303F or 0xFF01 <= ord(one) <= 0xFF5E or one in _PUNCTUATION


@lru_cache(maxsize=65536)
def _first_level(one: str, encoding: str) -> bool:
    """Whether an ideograph is among the common ones of its national standard."""
    lead = one.encode(encoding, "replace")[0]
    low, high = _FIRST_LEVEL[encoding]
    return low <= lead <= high and _IDEOGRAPH[0] <= ord(one) <= _IDEOGRAPH[1]


_FIRST_LEVEL = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp932": (0x88, 0x97), "euc_jp": (0xB0, 0xCF)}


def _korean(text: str, _encoding: str) -> float:
    usual = sum(_is_marked(one) or _is_usual_hangul(one) for one in text)
    return usual / len(text)


@lru_cache(maxsize=16384)
def _is_usual_hangul(one: str) -> bool:
    # Of all syllables, those of KS X 1001 make nearly every text.
    return _HANGUL[0] <= ord(one) <= _HANGUL[1] and len(one.encode("euc_kr", "replace")) == 2


def _japanese(text: str, encoding: str) -> float:
    kana = _share(text, _KANA)
    usual = sum(_KANA[0] <= ord(one) <= _KANA[1] or _is_marked(one) or _first_level(one, encoding) for one in text)
    if usual > _FULL_WIDTH * len(text):
        # Kana of half width take the bytes of Cyrillic and Greek capitals: they count beside other Japanese.
        halves = sum(_HALF_KANA[0] <= ord(one) <= _HALF_KANA[1] for one in text)
        usual, kana = usual + halves, kana + halves / len(text)
    share, common = usual / len(text), _share_of(text, _JAPANESE)
    # Without kana it may as well be Chinese.
    return share if kana > 0.05 else min(0.9 * share + 0.3 * common, 1.0)


def _chinese(text: str, encoding: str) -> float:
    usual = sum(_is_marked(one) or _first_level(one, encoding) for one in text)
    return 0.97 * usual / len(text)


def _share_of(text: str, characters: frozenset[str]) -> float:
    return sum(one in characters for one in text) / len(text)


# What stands in names, places and headings, beside the numerals.
_JAPANESE = frozenset(
    "番号氏名住所電話会社株式年月日時分東京都道府県市区町村郡北海大阪愛知神奈川埼玉千葉兵庫福岡静広島山田中村本木林口"
    "佐藤鈴高橋伊渡辺小加吉太郎花子美恵一男次平健野原井上下前後金額数量品種計単価部課員合売店商人口男女学校"
)


_DOUBLE: tuple[tuple[str, Callable[[str, str], float]], ...] = (
    ("cp949", _korean),
    ("euc_jp", _japanese),
    ("cp932", _japanese),
    ("gb18030", _chinese),
    ("big5", _chinese),
)
